"""The statements that docs/scaling.md gives for a partitioned schema run on the schema as it is, with what is in it."""

import re
from pathlib import Path

import sqlalchemy as sa

from tests.contract import company
from tests.contract.stores import postgres_database

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def test_the_statements_cut_every_big_table_and_keep_its_rows() -> None:
    (statements,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with postgres_database() as database:
        company.load(database.engine, 100)
        query = "SELECT relname, count(*) FROM pg_partitioned_table JOIN pg_class ON oid = partrelid JOIN pg_inherits "
        counts = "SELECT {}".format(
            ", ".join(f"(SELECT count(*) FROM {table.name})" for table in company.LOADED)  # noqa: S608 - our own names
        )
        with database.engine.begin() as connection:
            before = connection.execute(sa.text(counts)).one()
            connection.exec_driver_sql(statements.replace("%", "%%"))
            assert connection.execute(sa.text(counts)).one() == before
            cut = connection.execute(sa.text(f"{query} ON inhparent = oid GROUP BY 1")).all()
    tables = (
        "accounts",
        "chargeable_events",
        "documents",
        "payers",
        "payment_history",
        "payments",
        "requests",
        "settlements",
    )
    assert sorted(map(tuple, cut)) == [(name, 64) for name in tables]
