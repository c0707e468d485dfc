"""Whether the database, the finance system and the topics hold the same."""
