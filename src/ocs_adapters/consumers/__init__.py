"""Those who read the streaming platform: each keeps what it makes of the messages in a database of its own."""
