"""A database that is lent again is as new, whatever the test before did to it."""

import psycopg
import pytest

from ocs_adapters.sql.configuration import write_entries
from ocs_adapters.sql.database import connect
from ocs_adapters.sql.store import SqlStore
from ocs_core.entities.configuration import PaymentMethod
from ocs_core.testkit.examples import Desk
from tests.contract.lending import Lender
from tests.contract.stores import TEMPLATE, postgres_cluster


def _work(url: str) -> list[str]:
    database = connect(url)
    desk = Desk(SqlStore(database))
    account = desk.account("A-1")
    made = [desk.payment(account=account).payment_no, desk.document(account=account).document_no]
    write_entries(database, [PaymentMethod(code="cash", name="Changed")])
    database.close()
    return made


def _content(url: str) -> dict[str, object]:
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {t: sorted(map(repr, connection.execute(f'SELECT * FROM "{t}"').fetchall())) for (t,) in tables}


def test_what_a_test_wrote_is_gone_and_numbers_begin_anew() -> None:
    lender = Lender(postgres_cluster(), TEMPLATE)
    with lender.lent() as url:
        first, before = url, _content(url)
        made = _work(url)
        assert _content(url) != before
    with lender.lent() as url:
        assert url == first
        assert _content(url) == before
        assert _work(url) == made


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX ix_accounts_parent_ref_id",
        "ALTER TABLE payments ADD COLUMN colour text",
        "CREATE TABLE more (a int)",
        "CREATE FUNCTION one() RETURNS int AS 'SELECT 1' LANGUAGE sql",
        "CREATE SCHEMA another",
        "ALTER DATABASE {name} SET default_transaction_read_only = on",
        "ALTER TABLE payments SET (fillfactor = 50)",
    ],
)
def test_what_a_test_did_to_the_schema_is_never_lent_again(change: str) -> None:
    lender = Lender(postgres_cluster(), TEMPLATE)
    with lender.lent() as first, psycopg.connect(first, autocommit=True) as connection:
        connection.execute(change.format(name=connection.info.dbname))
    with lender.lent() as url:
        assert url != first


def test_two_have_a_database_each_and_who_still_works_on_one_is_thrown_out() -> None:
    lender = Lender(postgres_cluster(), TEMPLATE)
    with lender.lent() as one, lender.lent() as other:
        assert one != other
        left_open = psycopg.connect(one)
        left_open.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")
    left_open.close()
