"""Update payer (domain: sections 3 and 7)."""

import datetime as dt
from typing import Any

import attrs

from ocs_core import rules
from ocs_core.entities.account import AccountName, Payer
from ocs_core.form import UNSET, Code, DueDateOffset, Label, Unset, changes_in
from ocs_core.ports import AccountNamed, Found, PayerOf
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class UpdatePayerRequest(Command):
    """How a payer pays, is invoiced, gets its documents and is referred to. A field that is absent stays as it is; null
    clears it.

    `invoicing_excluded` says with `invoicing_excluded_to` until when (absent or null: indefinitely), as in update invoicing
    flag; the end alone moves that of the exclusion there is. `due_date_offset` is the payer's general one, in days; null:
    the default. Bank details with `direct_debit` are those that are collected from, and ours (`provider`) that receive.
    """

    account: AccountName | None = None
    payment_method: Code | Unset | None = UNSET
    delivery_method: Code | Unset | None = UNSET
    invoicing_excluded: bool | Unset = UNSET
    invoicing_excluded_to: dt.datetime | Unset | None = UNSET
    due_date_offset: DueDateOffset | Unset | None = UNSET
    bank_account_name: Label | Unset | None = UNSET
    bank_account_number: Label | Unset | None = UNSET
    bank_number_code: Label | Unset | None = UNSET
    iban: Label | Unset | None = UNSET
    bic: Label | Unset | None = UNSET
    bank_account_number_direct_debit: Label | Unset | None = UNSET
    bank_number_code_direct_debit: Label | Unset | None = UNSET
    bank_account_number_direct_debit_provider: Label | Unset | None = UNSET
    bank_number_code_direct_debit_provider: Label | Unset | None = UNSET
    payment_ref1: Label | Unset | None = UNSET
    payment_ref2: Label | Unset | None = UNSET
    payment_ref3: Label | Unset | None = UNSET


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payer: PayerOf


class UpdatePayer(UseCase[UpdatePayerRequest, _Wanted]):
    """Changes what is given of a payer and leaves the rest; documents that exist are never touched.

    Publishes `payer`; where nothing changed, nothing is saved or published.
    """

    answers = (Payer,)
    applies = (
        *rules.accounts.NEEDED_PAYER,
        rules.accounts.exclusion_end_goes_with_exclusion,
        rules.accounts.exclusion_end_is_in_the_future,
        rules.payments.payment_method_is_configured,
    )

    def wanted(self, request: UpdatePayerRequest) -> _Wanted:
        return _Wanted(AccountNamed(request.account), PayerOf(request.account, exclusively=True))

    def execute(self, request: UpdatePayerRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, payer = found[wanted.account], found[wanted.payer]
        changes = _changes(request)
        excluded = changes.get("invoicing_excluded", payer is None or payer.invoicing_excluded)
        end = changes.get("invoicing_excluded_to")
        rules.check(
            *rules.accounts.payer_is_found(request.account, account, payer),
            rules.payments.payment_method_is_configured(found.configuration, request.payment_method),
            rules.accounts.exclusion_end_goes_with_exclusion(excluded, end),
            rules.accounts.exclusion_end_is_in_the_future(end, work.now),
            fields=fields_of(UpdatePayerRequest),
        )
        assert payer is not None

        changed = attrs.evolve(payer, **changes)
        if changed != payer:
            work.publish(work.save(changed, before=payer))


def _changes(request: UpdatePayerRequest) -> dict[str, Any]:
    """What changes: whether invoicing is excluded is never said without until when."""
    changes = changes_in(request)
    return {"invoicing_excluded_to": None, **changes} if "invoicing_excluded" in changes else changes
