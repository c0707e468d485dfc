"""Ledgers and statements that people already have, as files."""
