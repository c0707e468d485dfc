"""Chargeable events."""

from ocs_core.usecases.adjust_chargeable_event import AdjustChargeableEvent
from ocs_core.usecases.create_account import CreateAccount
from ocs_core.usecases.feed_chargeable_events import FeedChargeableEvents
from ocs_http.operations.operation import ACCOUNT, Operation

OPERATIONS = (
    Operation(
        "/v1/rm/billing-invoicing/adjust-chargeable-event",
        AdjustChargeableEvent,
        "chargeable-event:adjust",
        {
            "requestId": "crm-2024-05-14-000008",
            "chargeableEventRefId": "018f7628-0fb0-7cc0-8000-00000000000b",
            "chargeType": "CREDIT",
            "chargeAdjustment": 605_000,
            "currency": "EUR",
            "taxIncluded": True,
        },
        after=(FeedChargeableEvents,),
    ),
    Operation(
        "/v1/charging/chargeable-events",
        FeedChargeableEvents,
        "chargeable-event:create",
        {
            "requestId": "rating-2024-05-14-000007",
            "events": [
                {
                    "externalId": "EDR-1",
                    "account": ACCOUNT,
                    "eventType": "call",
                    "eventDate": "2024-05-13T18:02:11Z",
                    "charge": 1_000_000,
                    "tax": 210_000,
                    "chargeWithTax": 1_210_000,
                    "currency": "EUR",
                    "taxRate": 2100,
                }
            ],
        },
        after=(CreateAccount,),
        is_long=True,
        longest_body=2_000_000,
    ),
)
