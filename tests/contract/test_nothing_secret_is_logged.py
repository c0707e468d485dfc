"""Whatever goes wrong: the log says what and where, in a few lines, and nothing of keys, passwords and people."""

import http.client
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from ocs_adapters.bootstrap import platform
from ocs_adapters.settings import Settings
from ocs_core.access import ApiKey, digest_of_key
from ocs_core.errors import RequestRejected
from ocs_core.memory import MemoryStore
from ocs_core.money import MILLIONTHS as UNIT
from ocs_core.testkit.examples import NOW, Desk, configuration
from ocs_core.usecases.register_payment import RegisterPayment, RegisterPaymentRequest
from tests.contract.stores import postgres_database

KEY, PASSWORD, IBAN, NAME = "sk-planted-key-1", "planted-password", "ES9121000418450200051332", "Planta Sembrada"
SECRETS = (KEY, PASSWORD, IBAN, NAME, "planted", "Sembrada")
BODY = {
    "requestId": "r-1",
    "paymentAmount": 49_900_000,
    "currency": "EUR",
    "paymentMethod": "bankTransfer",
    "paymentDateReceived": "2024-05-14T07:15:00Z",
    "iban": IBAN,
    "payerNote": NAME,
}
OCS = str(Path(sys.executable).parent / "ocs")
PAYMENTS = "/v1/rm/payments/register-payment"
RAISES = {
    "by itself": "RAISE EXCEPTION 'not %', NEW",
    "as if it were a check": "RAISE EXCEPTION 'not %', NEW USING ERRCODE = 'check_violation', DETAIL = NEW::text",
    "as if a server were away": "RAISE EXCEPTION 'not %', NEW USING ERRCODE = 'connection_failure'",
    "as if the disk were full": "RAISE EXCEPTION 'not %', NEW USING ERRCODE = 'disk_full'",
    "by what it calculates": "PERFORM (NEW::text)::int",
    "by a division": "PERFORM 1 / 0",
}


@attrs.frozen
class Served:
    """`ocs serve` as a process of its own."""

    port: int
    log: Path

    def ask(self, method: str, path: str, body: Any = None, key: str = KEY) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
        headers = {"X-Ocs-Io-API-Key": key, "X-Ocs-Io-Application-Id": "crm", "Content-Type": "application/json"}
        connection.request(method, path, sent, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)


def environment(url: str) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("OCS_")}
    return mine | {"OCS_DATABASE_URL": url, "OCS_SCHEDULE": "false", "NO_COLOR": "1"}


@contextmanager
def served(url: str, folder: Path) -> Iterator[Served]:
    with (folder / "log").open("w") as log:
        command = [OCS, "serve", "--port", "0"]
        process = subprocess.Popen(command, env=environment(url), stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            yield Served(int(said.split(";")[0].rsplit(":", 1)[1]), folder / "log")
        finally:
            process.terminate()
            process.wait(60)
            process.stdout.close()


def with_password(url: str) -> str:
    return url.replace("postgresql://postgres@", f"postgresql://postgres:{PASSWORD}@")


def raising(how: str) -> str:
    """A trigger on payments that says what it should not."""
    return f"""
        CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
        $no$ BEGIN {RAISES[how]}; RETURN NEW; END $no$;
        CREATE OR REPLACE TRIGGER no BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION no()
    """


def test_whatever_goes_wrong_over_http_the_log_has_its_id_and_no_secret(tmp_path: Path) -> None:
    with postgres_database() as database:
        url = with_password(database.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""))
        made = platform(Settings(database_url=url))
        digest = digest_of_key(KEY)
        key = ApiKey(ref_id=made.services.ids(), application="crm", digest=digest, privileges={"*"}, created_at=NOW)
        made.services.keys.add(key)
        made.services.close()
        with served(url, tmp_path) as site:
            assert site.ask("POST", PAYMENTS, BODY)[0] == 200
            assert site.ask("POST", PAYMENTS, BODY | {"recipientNote": NAME})[0] == 400
            assert site.ask("POST", PAYMENTS, b'{"' + IBAN.encode() + b'": "\xff"}')[0] == 400
            assert site.ask("POST", PAYMENTS, BODY, key=KEY + "!")[0] == 401
            assert site.ask("GET", f"/v1/{IBAN}")[0] == 404
            for number, how in enumerate(RAISES):
                with database.engine.begin() as connection:
                    connection.exec_driver_sql(raising(how).replace("%", "%%"))
                before = site.log.stat().st_size
                status, problem = site.ask(
                    "POST", PAYMENTS, BODY | {"requestId": f"broken-{number}", "externalPaymentNo": NAME}
                )
                told = site.log.read_text()[before:]
                assert 0 < len(told) < 20_000, how
                assert status in {500, 503}, how
                assert status == 503 or problem["instance"] in told, how
            with database.engine.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE documents DROP COLUMN document_no")
            assert site.ask("GET", f"/v1/rm/documents?documentNo={IBAN}")[0] in {500, 503}
        log = site.log.read_text()
    assert "request failed" in log
    for secret in SECRETS:
        assert secret not in log, log


def test_a_refused_repetition_carries_nothing_of_the_answer_that_is_kept() -> None:
    """An embedder logs the error as it likes, with what led to it."""
    desk = Desk(MemoryStore(configuration()))
    request = RegisterPaymentRequest(
        request_id="r-1",
        payment_amount=UNIT,
        currency="EUR",
        payment_method="bankTransfer",
        payment_date_received=NOW,
        payer_note=NAME,
    )
    desk.perform(RegisterPayment, request)
    with pytest.raises(RequestRejected, match="REQUEST_ID_REUSED") as refused:
        desk.perform(RegisterPayment, attrs.evolve(request, payer_note="another"))
    error = refused.value
    assert (error.__cause__, error.__context__) == (None, None)
    assert NAME not in "".join(traceback.format_exception(error))
