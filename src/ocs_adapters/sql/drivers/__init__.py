"""Two small drivers under one interface. Statements are composed with SQLAlchemy Core, compiled once, and run on the
driver's own connection: executing through Core costs two to three times as much (ADR 2).
"""

import functools
from collections.abc import Callable, Mapping

from ocs_adapters.sql.drivers.driver import Call, Copy, Driver, Row
from ocs_adapters.sql.drivers.postgres import PostgresDriver
from ocs_adapters.sql.drivers.sqlite import SqliteDriver

__all__ = ["Call", "Copy", "Driver", "PostgresDriver", "Row", "SqliteDriver", "driver_for"]


@functools.cache
def driver_for(dialect_name: str) -> Driver:
    """The driver of a database; statements it compiled are shared by all stores of that kind."""
    drivers: Mapping[str, Callable[[], Driver]] = {"postgresql": PostgresDriver, "sqlite": SqliteDriver}
    return drivers[dialect_name]()
