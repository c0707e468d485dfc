"""Create any document (domain: sections 2, 3 and 6)."""

import datetime as dt

import attrs

from ocs_core import rules
from ocs_core.entities.account import AccountName, Payer
from ocs_core.entities.configuration import Configuration, DocumentCategory, DocumentType, day_of
from ocs_core.entities.document import Document, DueAmountType
from ocs_core.form import Code, CustomAttributes, ExternalId, Label, PositiveAmount
from ocs_core.frozen import frozen_mappings
from ocs_core.messages import DocumentCreated
from ocs_core.money import round_to_minor_units, split_tax
from ocs_core.ports import DOCUMENT_NUMBERS, AccountNamed, Found, PayerOf, Taken
from ocs_core.usecases.perform import Command, UseCase, fields_of
from ocs_core.usecases.work import Work


@attrs.frozen(kw_only=True, field_transformer=frozen_mappings)
class CreateAnyDocumentRequest(Command):
    """A document to create. `amount` in millionths, with or without tax as `tax_included` says; `tax` is a code.

    Issued today if no day is given, taxed on the day of issue, due after the payer's offset; `payment_method` and
    `delivery_method` are the payer's where none are given. `document_category`, where given, is that of the document type.
    The billing period has both its days in it; `custom_attributes` are kept and given back.
    """

    account: AccountName | None = None
    document_type: Code
    document_category: DocumentCategory | None = None
    document_code: Code | None = None
    document_name: Label | None = None
    document_source: Label | None = None
    external_document_no: ExternalId | None = None
    document_issued_date: dt.date | None = None
    document_tax_date: dt.date | None = None
    document_due_date: dt.date | None = None
    currency: Code
    amount: PositiveAmount
    tax_included: bool
    tax: Code | None = None
    due_amount_type: DueAmountType | None = None
    payment_ref1: Label | None = None
    payment_ref2: Label | None = None
    payment_ref3: Label | None = None
    payment_method: Code | None = None
    delivery_method: Code | None = None
    billing_period_start: dt.date | None = None
    billing_period_end: dt.date | None = None
    custom_attributes: CustomAttributes | None = None


@attrs.frozen
class _Wanted:
    account: AccountNamed
    payer: PayerOf
    external_document_no: Taken


class CreateAnyDocument(UseCase[CreateAnyDocumentRequest, _Wanted]):
    """Creates an invoice, a credit or another document on a payment responsible account.

    Its total with tax is payable exactly: a whole number of minor units, and what rounding took is kept beside it.
    Publishes `document`; notifies `documentCreated`.
    """

    answers = (Document,)
    applies = (
        *rules.accounts.NEEDED_PAYER,
        rules.common.currency_is_configured,
        rules.common.total_is_payable,
        rules.documents.billing_period_ends_after_it_begins,
        rules.documents.document_category_is_that_of,
        rules.documents.document_type_is_configured,
        rules.documents.due_amount_type_is_allowed,
        rules.documents.due_amount_type_is_known,
        rules.documents.external_document_no_is_new,
        rules.documents.tax_has_a_rate,
        rules.documents.total_fits,
        rules.payments.payment_method_is_configured,
    )

    def wanted(self, request: CreateAnyDocumentRequest) -> _Wanted:
        return _Wanted(
            account=AccountNamed(request.account),
            payer=PayerOf(request.account),
            external_document_no=Taken("external_document_no", request.external_document_no),
        )

    def execute(self, request: CreateAnyDocumentRequest, wanted: _Wanted, found: Found, work: Work) -> None:
        configuration, account, payer = found.configuration, found[wanted.account], found[wanted.payer]
        document_type = configuration.document_types.get(request.document_type)
        zone = configuration.zone_of(account.account_type) if account else configuration.zone
        issued = request.document_issued_date or day_of(work.now, zone)
        tax_date = request.document_tax_date or issued
        amounts = _amounts(request, configuration, tax_date)
        rules.check(
            *rules.accounts.payer_is_found(request.account, account, payer),
            rules.documents.document_type_is_configured(configuration, request.document_type),
            rules.documents.document_category_is_that_of(document_type, request.document_category),
            rules.documents.external_document_no_is_new(
                request.external_document_no, found[wanted.external_document_no]
            ),
            rules.common.currency_is_configured(configuration, request.currency),
            rules.documents.total_fits(amounts.total_amount_net),
            rules.common.total_is_payable(configuration, request.amount, amounts.total_amount_net, request.currency),
            rules.documents.tax_has_a_rate(configuration, request.tax, tax_date),
            rules.documents.due_amount_type_is_known(document_type, request.due_amount_type),
            rules.documents.due_amount_type_is_allowed(document_type, request.due_amount_type),
            rules.payments.payment_method_is_configured(configuration, request.payment_method),
            rules.documents.billing_period_ends_after_it_begins(
                request.billing_period_start, request.billing_period_end
            ),
            fields=fields_of(CreateAnyDocumentRequest),
        )
        assert account is not None
        assert payer is not None
        assert document_type is not None
        due_amount_type = request.due_amount_type or document_type.due_amount_type
        assert due_amount_type is not None

        document = work.add(
            Document(
                ref_id=work.ids(),
                document_no=work.number(DOCUMENT_NUMBERS),
                external_document_no=request.external_document_no,
                document_type=request.document_type,
                document_source=request.document_source,
                account=account.ref,
                currency=request.currency,
                document_issued_date=issued,
                document_tax_date=tax_date,
                document_due_date=request.document_due_date or due_day(issued, payer, document_type),
                total_amount=amounts.total_amount,
                total_amount_tax=amounts.total_amount_tax,
                total_amount_net=amounts.total_amount_net,
                rounding_compensation=amounts.rounding_compensation,
                due_amount=amounts.total_amount_net,
                due_amount_type=due_amount_type,
                payment_ref1=request.payment_ref1,
                payment_ref2=request.payment_ref2,
                payment_ref3=request.payment_ref3,
                document_code=request.document_code,
                document_name=request.document_name,
                customer=account.customer,
                payment_method=request.payment_method or payer.payment_method,
                delivery_method=request.delivery_method or payer.delivery_method,
                billing_period_start=request.billing_period_start,
                billing_period_end=request.billing_period_end,
                custom_attributes=request.custom_attributes,
            )
        )
        work.publish(document)
        work.notify(_created(document, work), subject=document.ref_id)


@attrs.frozen(kw_only=True)
class _Amounts:
    total_amount: int
    total_amount_tax: int
    total_amount_net: int
    rounding_compensation: int


def _amounts(request: CreateAnyDocumentRequest, configuration: Configuration, tax_date: dt.date) -> _Amounts:
    """The document's amounts in millionths. A total that the caller states is taken as it is; a computed one is rounded."""
    tax = configuration.taxes.get(request.tax) if request.tax else None
    split = split_tax(request.amount, (tax and tax.rate_on(tax_date)) or 0, tax_included=request.tax_included)
    currency = configuration.currencies.get(request.currency)
    total = split.with_tax
    if currency is not None and not request.tax_included:
        total = round_to_minor_units(total, currency.minor_digits)
    return _Amounts(
        total_amount=split.without_tax,
        total_amount_tax=split.tax,
        total_amount_net=total,
        rounding_compensation=total - split.with_tax,
    )


def due_day(issued: dt.date, payer: Payer, document_type: DocumentType) -> dt.date:
    """Issued day plus the payer's offset for the type, else the payer's general one, else the type's default (days)."""
    offset = payer.due_date_offsets.get(document_type.code, payer.due_date_offset)
    return issued + dt.timedelta(days=document_type.due_date_offset if offset is None else offset)


def _created(document: Document, work: Work) -> DocumentCreated:
    return DocumentCreated(
        effective_date=work.now,
        account=document.account,
        document_no=document.document_no,
        external_document_no=document.external_document_no,
        document_source=document.document_source,
        document_type=document.document_type,
        currency=document.currency,
        total_amount=document.total_amount,
        total_amount_tax=document.total_amount_tax,
        total_amount_net=document.total_amount_net,
        due_amount_type=document.due_amount_type,
        document_due_date=document.document_due_date,
        payment_method=document.payment_method,
        billing_period_start=document.billing_period_start,
        billing_period_end=document.billing_period_end,
        payment_ref1=document.payment_ref1,
        payment_ref2=document.payment_ref2,
        payment_ref3=document.payment_ref3,
    )
