"""The next file of a ledger: what is there is recognised, what was left is taken, and what more is paid is a further payment."""

import shlex

import pytest

from ocs_core.messages import format_instant
from tests.unit.cli.conftest import Ocs
from tests.unit.cli.test_cli_import import counts, stored, summary, take

HEADER = ("customer", "number", "issued", "due", "amount", "amount paid", "settled")
UNIT = 1_000_000


def ledger(ocs: Ocs, *rows: tuple[str, str, str], settled: str = "", name: str = "ledger.csv") -> str:
    return ocs.ledger([("C-1", n, "2013-01-25", "", amount, paid, settled) for n, amount, paid in rows], HEADER, name)


def test_after_keep_good_the_same_command_on_the_mended_file_takes_the_rest(ocs: Ocs) -> None:
    rows = [("N-1", "50.00", "20.00"), ("N-2", "x", "0"), ("N-3", "7.00", "0")]
    assert take(ocs, ledger(ocs, *rows), "--keep-good").code == 1
    rows[1] = ("N-2", "30.00", "30.00")
    mended = ledger(ocs, *rows)
    assert counts(take(ocs, mended, "--keep-good").done()) == summary((0, 1), (1, 2), (1, 1))
    assert {n: d.due_amount for n, d in stored(ocs)[0].items()} == {"N-1": 30 * UNIT, "N-2": 0, "N-3": 7 * UNIT}
    assert "was taken over already" in take(ocs, mended, "--keep-good").done().err


def test_after_keep_good_half_of_an_invoice_is_never_there(ocs: Ocs) -> None:
    lines = [("C-1", "N-1", "2013-01-25", "", "60.00", ""), ("C-1", "N-1", "2013-01-25", "", "1,40.00", "", "")]
    torn = ocs.ledger([*lines, ("C-1", "N-2", "2013-01-25", "", "5.00", "")])
    assert take(ocs, torn, "--keep-good", "--add-up").code == 1
    assert set(stored(ocs)[0]) == {"N-2"}
    lines[1] = ("C-1", "N-1", "2013-01-25", "", "40.00", "")
    whole = ocs.ledger([*lines, ("C-1", "N-2", "2013-01-25", "", "5.00", "")])
    take(ocs, whole, "--keep-good", "--add-up").done()
    assert {n: d.total_amount_net for n, d in stored(ocs)[0].items()} == {"N-1": 100 * UNIT, "N-2": 5 * UNIT}


def test_after_keep_good_the_same_file_takes_what_can_be_taken_by_now(ocs: Ocs) -> None:
    """The file was right and the ledger was not: the currency was not configured."""
    header = ("customer", "number", "issued", "due", "amount", "settled", "currency")
    rows = [("C-1", "N-1", "2013-01-25", "", "5", "", "EUR"), ("C-2", "N-2", "2013-01-25", "", "7", "", "XTS")]
    command = ("import", "receivables", ocs.ledger(rows, header), "--as-of", "2014-12-31", "--keep-good")
    assert "the currency XTS is not configured" in ocs(*command).refused()
    again = ocs(*command)
    assert "all are there already" in again.err
    assert again.code == 1, "the row that was left is told again"
    ocs("configure", ocs.file("xts.toml", '[[currencies]]\ncode = "XTS"\n')).done()
    ocs(*command).done()
    assert set(stored(ocs)[0]) == {"N-1", "N-2"}
    assert "was taken over already" in ocs(*command).done().err
    for _ in range(2):
        ocs("import", "undo", command[2]).done()
    assert all(document.cancelled for document in stored(ocs)[0].values())


def test_what_more_is_paid_by_a_later_file_is_a_further_payment(ocs: Ocs) -> None:
    take(ocs, ledger(ocs, ("N-1", "100.00", "40.00")), as_of="2013-03-01").done()
    more = ledger(ocs, ("N-1", "100.00", "70.00"), name="more.csv")
    assert counts(take(ocs, more, as_of="2013-04-01").done()) == summary((0, 1), (0, 1), (1, 0))
    all_of_it = ledger(ocs, ("N-1", "100.00", "110.00"), settled="2013-04-20", name="all.csv")
    take(ocs, all_of_it, as_of="2013-05-01").done()
    documents, payments = stored(ocs)
    assert documents["N-1"].due_amount == 0
    assert {
        n: (p.payment_amount // UNIT, p.remaining_amount // UNIT, format_instant(p.payment_date_received)[:10])  # type: ignore[arg-type]
        for n, p in payments.items()
    } == {
        "N-1": (40, 0, "2013-03-01"),
        "N-1/payment/2": (30, 0, "2013-04-01"),
        "N-1/payment/3": (40, 10, "2013-04-20"),
    }
    assert counts(take(ocs, all_of_it, as_of="2013-05-02").done()) == summary((0, 1), (0, 1), (0, 1))
    for file in (all_of_it, all_of_it, more):
        ocs("import", "undo", file).done()
    documents, payments = stored(ocs)
    assert (documents["N-1"].due_amount, payments["N-1"].cancelled) == (60 * UNIT, False)


@pytest.mark.parametrize("paid", ["39.00", "0", ""])
def test_less_that_is_paid_than_what_is_stored_is_a_conflict(ocs: Ocs, paid: str) -> None:
    take(ocs, ledger(ocs, ("N-1", "100.00", "40.00"))).done()
    take(ocs, ledger(ocs, ("N-1", "100.00", "70.00"))).done()
    before = stored(ocs)
    said = take(ocs, ledger(ocs, ("N-1", "100.00", paid))).refused()
    assert "conflict: the payment of invoice N-1" in said
    assert stored(ocs) == before


def test_what_is_more_paid_than_is_open_was_settled_by_others(ocs: Ocs) -> None:
    take(ocs, ledger(ocs, ("N-1", "100.00", "40.00"), ("N-2", "100.00", "100.00"))).done()
    surplus = ledger(ocs, ("N-1", "100.00", "40.00"), ("N-2", "100.00", "130.00"), name="surplus.csv")
    assert counts(take(ocs, surplus).done())["payments"] == (1, 1)
    payment = stored(ocs)[1]["N-2/payment/2"]
    assert (payment.payment_amount, payment.remaining_amount) == (30 * UNIT, 30 * UNIT)
    ocs("import", "undo", surplus).done()
    assert stored(ocs)[1][f"N-2/payment/2/taken-back/{payment.payment_no}"].cancelled


def test_currency_signs_and_repeated_totals_are_told_by_options(ocs: Ocs) -> None:
    header = ("customer", "number", "issued", "due", "amount", "settled", "currency")
    file = ocs.ledger([("C-1", "N-1", "2013-01-25", "", "5", "", "$")] * 2, header)
    command = ("import", "receivables", file, "--as-of", "2014-12-31", "--add-up")
    assert "--currency-sign '$=USD'" in ocs(*command).refused()
    command = (*command, "--currency-sign", "$=EUR")
    assert "--repeated amount" in ocs(*command).refused()
    ocs(*command, "--repeated", "amount").done()
    assert stored(ocs)[0]["N-1"].total_amount_net == 5 * UNIT
    assert "such as '$=USD'" in ocs(*command, "--currency-sign", "$").refused()
    assert "--repeated due: the fields are amount, net, tax, paid, outstanding; or none." in (
        ocs(*command, "--repeated", "due").refused()
    )
    assert "give both" in ocs(*(word for word in command if word != "--add-up"), "--repeated", "none").refused()


def test_the_options_that_a_refusal_shows_can_be_pasted(ocs: Ocs) -> None:
    header = (
        "customer",
        "number",
        "issued",
        "due",
        "amount",
        "settled",
        "Dr/Cr",
        "-x",
        "it's",
        "",
        "VAT %",
        '"a ""b"" $c"',
    )
    file = ocs.ledger([("C-1", "N-1", "2013-01-25", "", "5", "", "DR", "1.5", "2.5", "USD", "21", "9")], header)
    said = take(ocs, file).refused()
    options = [word for word in shlex.split(said.partition("change nothing with: ")[2]) if word.startswith("--ignore")]
    assert len(options) == 6
    take(ocs, file, *options).done()
    assert set(stored(ocs)[0]) == {"N-1"}
