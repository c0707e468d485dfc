"""Moving messages, over the ports Outbox and Publisher; no technology here."""
