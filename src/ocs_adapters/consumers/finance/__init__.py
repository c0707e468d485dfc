"""The finance system's reference: every entity as it is now, and figures about receivables and payments."""
