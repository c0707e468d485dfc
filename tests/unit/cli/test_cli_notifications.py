"""`ocs consume notifications` and `ocs deliveries`."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ocs_adapters.bootstrap import consumers, notifications
from ocs_adapters.clock import utc_now
from ocs_adapters.consumers.notifications.deliveries import CLAIM_SECONDS, Deliveries, State
from ocs_adapters.settings import load
from ocs_core.testkit.examples import Desk
from ocs_core.testkit.fakes import SettableClock
from tests.contract.recipients import SECRET, Answer, Hooks, hooks
from tests.unit.cli.conftest import Ocs

CONSUME = [sys.executable, "-c", "from ocs_adapters.cli import main; main(['consume', 'notifications'])"]


@pytest.fixture
def recipient() -> Iterator[Hooks]:
    with hooks() as seen:
        yield seen


@pytest.fixture
def told(ocs: Ocs, recipient: Hooks, monkeypatch: pytest.MonkeyPatch) -> Ocs:
    """Two payments were received, and one recipient is to be told."""
    made = ocs.platform()
    desk = Desk(made.services.store)
    payer = desk.account("A-1")
    for _ in range(2):
        desk.payment(account=payer)
    made.relay.drain()
    made.services.close()
    _recipients(ocs, recipient, "crm")
    monkeypatch.setenv("OCS_RECIPIENTS_FILE", str(ocs.folder / "recipients.toml"))
    return ocs


def _recipients(ocs: Ocs, recipient: Hooks, *names: str) -> None:
    of_each = 'name = "{}"\ncodes = ["paymentReceived"]\nwebhook = "{}/{}"\nsecret = "{}"\n'
    text = "".join("[[recipient]]\n" + of_each.format(name, recipient.url, name, SECRET) for name in names)
    ocs.file("recipients.toml", text)


def test_once_deals_with_what_is_there_and_tells_how_many_were_delivered(told: Ocs, recipient: Hooks) -> None:
    recipient.answers["/crm"] = [Answer(200), Answer(500)]
    assert "1 delivered, 1 waiting, 0 failed.\n" in told("consume", "notifications", "--once").done().out
    assert told("consume", "notifications", "--once").done().out == "0 messages.\n0 delivered, 1 waiting, 0 failed.\n"


def test_from_the_beginning_tells_nobody_twice_and_a_new_recipient_what_it_missed(told: Ocs, recipient: Hooks) -> None:
    told("consume", "notifications", "--once").done()
    _recipients(told, recipient, "crm", "erp")
    out = told("consume", "notifications", "--once", "--from-beginning").done().out
    assert "2 delivered, 0 waiting, 0 failed.\n" in out
    assert [hook.path for hook in recipient.came] == ["/crm", "/crm", "/erp", "/erp"]


def test_deliveries_are_listed_and_shown_with_every_attempt(told: Ocs, recipient: Hooks) -> None:
    recipient.answers["/crm"] = [Answer(200), Answer(500, body=b"out of order")]
    told("consume", "notifications", "--once").done()
    listed = told("deliveries", "list").done().out
    assert all(
        word in listed for word in ("crm", "paymentReceived", "delivered 2", "waiting, due 2", "500 out of order")
    )
    waiting = told("deliveries", "list", "--state", "waiting", "--recipient", "crm").done().out.splitlines()
    assert len(waiting) == 2
    assert len(told("deliveries", "list", "--limit", "1").done().out.splitlines()) == 2
    assert len(told("deliveries", "list", "--state", "failed").done().out.splitlines()) == 1
    shown = told("deliveries", "show", waiting[1].split()[0]).done().out
    (value,) = (line.split(maxsplit=1)[1] for line in shown.splitlines() if line.startswith("value "))
    assert json.loads(value) == recipient.came[1].body["data"]
    assert all(word in shown for word in ('"paymentAmount":', "500 out of order", "waiting, due", recipient.came[1].id))


def test_a_failed_delivery_is_retried_and_a_delivered_one_is_not(told: Ocs, recipient: Hooks) -> None:
    recipient.answers["/crm"] = [Answer(200), Answer(410), Answer(200)]
    assert "1 delivered, 0 waiting, 1 failed." in told("consume", "notifications", "--once").done().out
    failed, delivered = (
        told("deliveries", "list", "--state", state).done().out.splitlines()[1].split()[0]
        for state in ("failed", "delivered")
    )
    assert "was delivered; nobody is told twice" in told("deliveries", "retry", delivered).refused()
    assert told("deliveries", "retry", failed).done().out == "1 delivery is due now.\n"
    assert "1 delivered, 0 waiting, 0 failed." in told("consume", "notifications", "--once").done().out
    assert told("deliveries", "retry", "ALL").done().out == "0 deliveries are due now.\n"


def test_what_is_no_delivery_is_told(told: Ocs) -> None:
    assert "has read nothing yet; run: ocs consume notifications" in told("deliveries", "list").refused()
    told("consume", "notifications", "--once").done()
    unknown = "018f0000-0000-7000-8000-000000000001"
    for command in ("show", "retry"):
        assert "is not the id of a delivery" in told("deliveries", command, "first").refused()
        assert f"There is no delivery {unknown}" in told("deliveries", command, unknown).refused()


def test_a_database_that_does_not_answer_is_a_sentence(told: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_NOTIFICATIONS_URL", "postgresql://me:secret@127.0.0.1:1/ocs")
    for command in (("deliveries", "list"), ("consume", "notifications", "--once")):
        refusal = told(*command).refused()
        assert "does not answer" in refusal
        assert "secret" not in refusal


def test_everything_that_is_wrong_is_told_before_anything_is_forgotten(
    told: Ocs, recipient: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    told("consume", "notifications", "--once").done()
    monkeypatch.setenv("OCS_SMTP_URL", "smtp://me:secret@")
    monkeypatch.setenv("OCS_MAIL_FROM", "somebody")
    told.file("recipients.toml", '[[recipient]]\nname = "crm"\ncodes = ["x"]\nemail = "ops@example.com"\n')
    refusal = told("consume", "notifications", "--once", "--from-beginning").refused()
    assert "OCS_SMTP_URL cannot be read; give smtp://" in refusal
    assert "OCS_MAIL_FROM is 'somebody'" in refusal
    assert "[[recipient]] 1 (crm), codes: there is no notification x" in refusal
    assert "secret" not in refusal
    _recipients(told, recipient, "crm")
    for name in ("OCS_SMTP_URL", "OCS_MAIL_FROM"):
        monkeypatch.delenv(name)
    assert told("consume", "notifications", "--once").done().out.startswith("0 messages.")


def test_e_mail_needs_a_server_and_an_address(told: Ocs) -> None:
    told.file("recipients.toml", '[[recipient]]\nname = "ops"\ncodes = ["*"]\nemail = "ops@example.com"\n')
    refusal = told("consume", "notifications", "--once").refused()
    assert "OCS_SMTP_URL is not set" in refusal
    assert "OCS_MAIL_FROM is not set" in refusal


def test_without_a_file_of_recipients_nothing_is_read(told: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_RECIPIENTS_FILE", "nowhere.toml")
    assert "nowhere.toml: No such file" in told("consume", "notifications").refused()
    told.file("nowhere.toml", b"\xff")
    assert "nowhere.toml is not UTF-8" in told("consume", "notifications").refused()
    monkeypatch.delenv("OCS_RECIPIENTS_FILE")
    assert "OCS_RECIPIENTS_FILE is not set" in told("consume", "notifications").refused()


def test_a_package_that_is_missing_is_named_with_what_brings_it(told: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ocs_adapters.consumers.notifications.webhooks", raising=False)
    monkeypatch.delattr("ocs_adapters.consumers.notifications.webhooks", raising=False)
    monkeypatch.setitem(sys.modules, "standardwebhooks", None)
    assert "install ocs-rm[consumers]" in told("consume", "notifications", "--once").refused()


def test_topics_of_their_own_are_read_too(told: Ocs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_NOTIFICATIONS_FURTHER_TOPICS", "payments, documents,")
    assert notifications.topics(load()) == ["documents", "ocs.rm.notifications", "payments"]


def test_looking_at_dead_letters_sends_nothing(told: Ocs, recipient: Hooks) -> None:
    recipient.answers["/crm"] = [Answer(500)]
    told("consume", "notifications", "--once").done()
    told("deliveries", "retry", "ALL").done()
    assert told("dead-letters", "list", "notifications").done().out == "0 dead letters of notifications.\n"
    assert len(recipient.came) == 2


def test_a_sender_that_is_killed_after_the_recipient_took_it_sends_it_again_under_the_same_id(
    told: Ocs, recipient: Hooks
) -> None:
    process: list[subprocess.Popen[str]] = []
    recipient.answers["/crm"] = [Answer(before=lambda: process[0].kill()), Answer(200)]
    process.append(subprocess.Popen(CONSUME, env=dict(os.environ), stdout=subprocess.PIPE, text=True))
    try:
        assert process[0].wait(30) == -signal.SIGKILL
    finally:
        process[0].kill()
        process[0].wait()
        process[0].stdout.close()
    (taken,) = recipient.came
    settings, later = load(), SettableClock(utc_now())
    with (
        consumers.database_of(consumers.KINDS["notifications"], settings) as database,
        notifications.sender(settings, database) as sender,
    ):
        sender.clock, sender.deliveries = later, Deliveries(database, later)
        before = sender.once()[State.DELIVERED]
        assert before == 1, "the other one; what was being sent is still claimed"
        later.advance(seconds=CLAIM_SECONDS)
        assert sender.once() == {State.DELIVERED: 1}
    assert [hook.id for hook in recipient.came].count(taken.id) == 2
    assert recipient.came[-1].id == taken.id
    assert recipient.came[-1].body == taken.body


def test_it_runs_until_it_is_terminated_and_finishes_what_is_under_way(told: Ocs, recipient: Hooks) -> None:
    process: list[subprocess.Popen[str]] = []

    def terminate() -> None:
        process[0].send_signal(signal.SIGTERM)
        time.sleep(1)

    recipient.answers["/crm"] = [Answer(before=terminate), Answer(200)]
    process.append(subprocess.Popen(CONSUME, env=dict(os.environ), stdout=subprocess.PIPE, text=True))
    try:
        assert process[0].stdout.readline() == "Reading as notifications.\n"
        assert process[0].wait(30) == 0
    finally:
        process[0].kill()
        process[0].wait()
        process[0].stdout.close()
    assert "delivered 2" in told("deliveries", "list", "--state", "delivered").done().out
