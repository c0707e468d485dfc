"""Update invoicing flag (domain: section 4)."""

import datetime as dt

import attrs

from ocs_core import rules
from ocs_core.entities.account import AccountName, Payer
from ocs_core.ports import AccountNamed, Found, PayerOf
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True)
class UpdateInvoicingFlagRequest(Command):
    """Whether a payer is excluded from invoicing, and until when; null: indefinitely."""

    account: AccountName | None = None
    invoicing_excluded: bool
    invoicing_excluded_to: dt.datetime | None = None


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payer: PayerOf


class UpdateInvoicingFlag(UseCase[UpdateInvoicingFlagRequest, _Wanted]):
    """Excludes a payer from invoicing, or includes it again, which clears the end date.

    Publishes `payer`; where nothing changed, nothing is saved or published.
    """

    step = "UpdatePayer"
    """The product's documentation names it so."""
    answers = (Payer,)
    applies = (
        *rules.accounts.NEEDED_PAYER,
        rules.accounts.exclusion_end_goes_with_exclusion,
        rules.accounts.exclusion_end_is_in_the_future,
    )

    def wanted(self, request: UpdateInvoicingFlagRequest) -> _Wanted:
        return _Wanted(AccountNamed(request.account), PayerOf(request.account, exclusively=True))

    def execute(self, request: UpdateInvoicingFlagRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        account, payer = found[wanted.account], found[wanted.payer]
        excluded, end = request.invoicing_excluded, request.invoicing_excluded_to
        rules.check(
            *rules.accounts.payer_is_found(request.account, account, payer),
            rules.accounts.exclusion_end_goes_with_exclusion(excluded, end),
            rules.accounts.exclusion_end_is_in_the_future(end, work.now),
            fields=fields_of(UpdateInvoicingFlagRequest),
        )
        assert payer is not None

        changed = attrs.evolve(payer, invoicing_excluded=excluded, invoicing_excluded_to=end)
        if changed != payer:
            work.publish(work.save(changed, before=payer))
