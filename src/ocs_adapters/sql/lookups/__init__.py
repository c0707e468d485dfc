"""What a command looks up, in SQL: one function for each look-up, by subject; all are asked in one round trip."""

from ocs_adapters.sql.lookups import accounts, charging, items, many_accounts, settlements, values  # noqa: F401 - register
from ocs_adapters.sql.lookups.finding import find

__all__ = ["find"]
