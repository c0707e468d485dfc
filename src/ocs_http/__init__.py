"""OCS revenue management over HTTP: a table of operations and reads, and one thin handler for each kind."""
