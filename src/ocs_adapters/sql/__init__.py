"""The store in SQL: SQLite, the embedded default, and PostgreSQL; one schema, one code, two small drivers."""

from ocs_adapters.sql.store import SqlStore

__all__ = ["SqlStore"]
