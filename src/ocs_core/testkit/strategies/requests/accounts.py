"""Valid requests about accounts and payers."""

import datetime as dt

from hypothesis import strategies as st

from ocs_core.entities.account import AccountState
from ocs_core.form import UNSET, Unset
from ocs_core.testkit.strategies.requests.registry import Draw, valid
from ocs_core.testkit.strategies.requests.things import (
    common_fields,
    currencies,
    namings,
    payers,
)
from ocs_core.testkit.strategies.values import instants, some_fields
from ocs_core.testkit.world import World
from ocs_core.usecases.create_account import CreateAccount, CreateAccountRequest
from ocs_core.usecases.read_collection_balance import ReadCollectionBalance, ReadCollectionBalanceRequest
from ocs_core.usecases.read_open_balance import ReadOpenBalance, ReadOpenBalanceRequest
from ocs_core.usecases.update_account_state import UpdateAccountState, UpdateAccountStateRequest
from ocs_core.usecases.update_due_date_offset import UpdateDueDateOffset, UpdateDueDateOffsetRequest
from ocs_core.usecases.update_invoicing_flag import UpdateInvoicingFlag, UpdateInvoicingFlagRequest
from ocs_core.usecases.update_payer import UpdatePayer, UpdatePayerRequest

_UPDATE_PAYER_FIELDS = (
    "delivery_method",
    "due_date_offset",
    "bank_account_name",
    "iban",
    "bic",
    "bank_account_number_direct_debit",
    "bank_number_code_direct_debit_provider",
    "payment_ref1",
    "payment_ref3",
)
"""What varies and must not matter."""


_CREATE_ACCOUNT_FIELDS = ("customer", "segment", "bill_cycle", "custom_name")
"""What varies and must not matter."""


@valid(UpdateInvoicingFlag)
def _update_invoicing_flag(draw: Draw, world: World) -> UpdateInvoicingFlagRequest:
    excluded = draw(st.booleans())
    later = instants.filter(lambda instant: instant > world.desk.clock())
    return UpdateInvoicingFlagRequest(
        **common_fields(draw, world),
        account=draw(namings(draw(payers(world)))),
        invoicing_excluded=excluded,
        invoicing_excluded_to=draw(st.none() | later) if excluded else None,
    )


@valid(UpdateDueDateOffset)
def _update_due_date_offset(draw: Draw, world: World) -> UpdateDueDateOffsetRequest:
    return UpdateDueDateOffsetRequest(
        **common_fields(draw, world),
        account=draw(namings(draw(payers(world)))),
        due_date_offset=draw(st.none() | st.integers(0, 3650)),
        document_type=draw(st.none() | st.sampled_from(sorted(world.configuration.document_types))),
    )


@valid(CreateAccount)
def _create_account(draw: Draw, world: World) -> CreateAccountRequest:
    parent = draw(st.booleans())
    return CreateAccountRequest(
        **common_fields(draw, world),
        external_id=draw(st.none() | st.just(world.new("A"))),
        account_type=draw(st.sampled_from(["payer", "technical"])),
        currency=draw(currencies(world)),
        parent=draw(namings(draw(payers(world)))) if parent else None,
        state=draw(st.sampled_from([AccountState.INACTIVE, AccountState.ACTIVE])),
        **draw(some_fields(CreateAccountRequest, *_CREATE_ACCOUNT_FIELDS)),
    )


@valid(UpdateAccountState)
def _update_account_state(draw: Draw, world: World) -> UpdateAccountStateRequest:
    before = draw(st.sampled_from(AccountState))
    after = draw(st.sampled_from([state for state in AccountState if before.may_become(state)]))
    account = draw(namings(draw(payers(world, (before,)))))
    return UpdateAccountStateRequest(**common_fields(draw, world), account=account, state=after)


@valid(UpdatePayer)
def _update_payer(draw: Draw, world: World) -> UpdatePayerRequest:
    methods = st.none() | st.sampled_from(sorted(world.configuration.payment_methods))
    excluded: bool | Unset = draw(st.just(UNSET) | st.booleans())
    later = instants.filter(lambda instant: instant > world.desk.clock())
    return UpdatePayerRequest(
        **common_fields(draw, world),
        account=draw(namings(draw(payers(world)))),
        payment_method=draw(st.just(UNSET) | methods),
        invoicing_excluded=excluded,
        invoicing_excluded_to=draw(st.sampled_from([UNSET, None]) | (later if excluded is True else st.none())),
        **draw(some_fields(UpdatePayerRequest, *_UPDATE_PAYER_FIELDS)),
    )


@valid(ReadCollectionBalance)
def _read_collection_balance(draw: Draw, world: World) -> ReadCollectionBalanceRequest:
    name = draw(namings(draw(payers(world, tuple(AccountState)))))
    ago = dt.timedelta(days=draw(st.integers(0, 1000)))
    return ReadCollectionBalanceRequest(
        ref_id=name.ref_id,
        external_id=name.external_id,
        calculation_forced=draw(st.booleans()),
        detail_included=draw(st.booleans()),
        as_of=draw(st.none() | st.just(world.desk.clock() - ago)),
    )


@valid(ReadOpenBalance)
def _read_open_balance(draw: Draw, world: World) -> ReadOpenBalanceRequest:
    name = draw(namings(draw(payers(world, tuple(AccountState)))))
    ago = dt.timedelta(days=draw(st.integers(0, 1000)))
    return ReadOpenBalanceRequest(
        ref_id=name.ref_id,
        external_id=name.external_id,
        calculation_forced=draw(st.booleans()),
        document_types_included=draw(st.booleans()),
        detail_included=draw(st.booleans()),
        as_of=draw(st.none() | st.just(world.desk.clock() - ago)),
    )
