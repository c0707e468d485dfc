"""The data warehouse's reference: every message that was ever published, in Parquet files, for questions in SQL."""
