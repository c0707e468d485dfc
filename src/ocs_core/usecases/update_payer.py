"""Update payer (domain: sections 3 and 7)."""

import attrs

from ocs_core import rules
from ocs_core.form import UNSET, Code, Label, Unset, changes_in
from ocs_core.ports import AccountId, Found, Wanted
from ocs_core.usecases.perform import Command, UseCase, Work, fields_of


@attrs.frozen(kw_only=True)
class UpdatePayerRequest(Command):
    """How a payer pays, gets its documents and is referred to. A field that is absent stays as it is; null clears it."""

    account: AccountId | None = None
    payment_method: Code | Unset | None = UNSET
    delivery_method: Code | Unset | None = UNSET
    bank_account_name: Label | Unset | None = UNSET
    bank_account_number: Label | Unset | None = UNSET
    bank_number_code: Label | Unset | None = UNSET
    iban: Label | Unset | None = UNSET
    bic: Label | Unset | None = UNSET
    payment_ref1: Label | Unset | None = UNSET
    payment_ref2: Label | Unset | None = UNSET
    payment_ref3: Label | Unset | None = UNSET


class UpdatePayer(UseCase[UpdatePayerRequest]):
    """Changes what is given of a payer and leaves the rest; documents that exist are never touched.

    Publishes `payer`; where nothing changed, nothing is saved or published.
    """

    def wanted(self, request: UpdatePayerRequest) -> Wanted:
        return Wanted(account=request.account, payer_exclusively=True)

    def execute(self, request: UpdatePayerRequest, found: Found, work: Work) -> None:
        rules.check(
            rules.account_is_given(request.account),
            rules.account_exists(request.account, found.account),
            rules.account_ids_agree(request.account, found.account),
            rules.account_is_not_deactivated(found.account),
            rules.payer_exists(found.account, found.payer),
            rules.payment_method_is_configured(found.configuration, request.payment_method),
            fields=fields_of(UpdatePayerRequest),
        )
        assert found.payer is not None

        payer = attrs.evolve(found.payer, **changes_in(request))
        if payer != found.payer:
            work.publish(work.save(payer))
