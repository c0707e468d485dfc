"""What can be done next with an answer, as links of the OpenAPI document: by operation, where it leads and with what."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

Schema = dict[str, Any]
_FIRST_IN_BODY = "/0/object/refId"
_FIRST = f"$response.body#{_FIRST_IN_BODY}"
_NEXT_PAGE = "$response.body#/next"


@attrs.frozen
class Link:
    """To the operation with this id, with values from the answer: for its parameters, or for fields of its body.

    Fields of a body are told in words: readers of the document take only a whole body for a link's `requestBody`.
    """

    operation: str
    text: str
    parameters: Mapping[str, str] = {}
    body: Mapping[str, str] = {}


def _about_the_account(refers: str) -> Sequence[Link]:
    return (
        Link("readCollectionBalance", "What the payer owes.", {"refId": refers}),
        Link("readOpenBalance", "All that is open of the payer.", {"refId": refers}),
        Link("searchPayments", "The account's payments.", {"accountRefId": refers}),
        Link("searchDocuments", "The account's documents.", {"accountRefId": refers}),
    )


def _next_page(of: str) -> Sequence[Link]:
    return (Link(of, "The following page; at the end `next` is null.", {"cursor": _NEXT_PAGE}),)


def _next_lines(of: str) -> Sequence[Link]:
    """As of the same instant, so that pages agree."""
    leads = {"cursor": _NEXT_PAGE, "asOf": "$response.body#/asOf", "refId": "$response.body#/account/refId"}
    text = "The following page of lines; at the end `next` is null."
    return (Link(of, text, leads | {"detailIncluded": "true"}),)


LINKS: Mapping[str, Sequence[Link]] = {
    "createAccount": _about_the_account(_FIRST),
    "registerPayment": (
        Link("identifyPaymentIn", "Give it to an account.", body={"paymentRefId": _FIRST_IN_BODY}),
        Link("assignPaymentInToDocument", "Pay a document with it.", body={"paymentRefId": _FIRST_IN_BODY}),
        Link("cancelPayment", "Take it back.", body={"paymentRefId": _FIRST_IN_BODY}),
    ),
    "identifyPaymentIn": (
        Link("assignPaymentInToDocument", "Pay a document with it.", body={"paymentRefId": _FIRST_IN_BODY}),
        Link("cancelPaymentInIdentification", "Take it from the account again.", body={"paymentRefId": _FIRST_IN_BODY}),
    ),
    "assignPaymentInToDocument": (
        Link(
            "cancelPaymentInAssignment",
            "Take it back: by the `monetaryTransactionRefId` in the `PaymentDocumentsEx`, or by payment and document.",
            body={"paymentRefId": _FIRST_IN_BODY},
        ),
    ),
    "createAnyDocument": (
        Link("assignPaymentInToDocument", "Pay it.", body={"documentRefId": _FIRST_IN_BODY}),
        Link("cancelDocument", "Take it back.", body={"documentRefId": _FIRST_IN_BODY}),
    ),
    "feedChargeableEvents": (
        Link("adjustChargeableEvent", "Adjust the first event.", body={"chargeableEventRefId": _FIRST_IN_BODY}),
        Link("searchChargeableEvents", "Find its adjustments.", {"originalRefId": _FIRST}),
    ),
    "adjustChargeableEvent": (Link("searchChargeableEvents", "Read the adjustment.", {"refId": _FIRST}),),
    "calculateCollectionBalance": (
        Link("readProcessRun", "How far the run is.", {"refId": _FIRST}),
        Link("cancelProcessRun", "End it where it is.", body={"refId": _FIRST_IN_BODY}),
    ),
    "searchPayments": _next_page("searchPayments"),
    "searchDocuments": _next_page("searchDocuments"),
    "searchChargeableEvents": _next_page("searchChargeableEvents"),
    "searchAccounts": _next_page("searchAccounts"),
    "readCollectionBalance": _next_lines("readCollectionBalance"),
    "readOpenBalance": _next_lines("readOpenBalance"),
    "searchProcessRuns": _next_page("searchProcessRuns"),
}


def links_of(operation: str) -> dict[str, Schema]:
    """The links of an operation's answer, by name."""
    return {
        link.operation: {
            "operationId": link.operation,
            "description": " ".join(
                [link.text, *(f"Give `{at}` of the answer as `{name}`." for name, at in link.body.items())]
            ),
            **({"parameters": dict(link.parameters)} if link.parameters else {}),
        }
        for link in LINKS.get(operation, ())
    }
