"""Examples of refusals."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

Example = Mapping[str, Any]

PROBLEM: Final[Example] = {
    "type": "urn:ocs-rm:problem:request-validation-failed",
    "title": "Request validation failed",
    "status": 400,
    "detail": "The request has 2 failures.",
    "errors": [
        {
            "code": "ACCOUNT_NOT_FOUND",
            "field": "/account",
            "message": "There is no account with externalId A-1001.",
        },
        {
            "code": "AMOUNT_TOO_FINE",
            "field": "/paymentAmount",
            "message": "EUR is paid in steps of 10000 millionths.",
        },
    ],
}


def problem(status: int, detail: str) -> Example:
    """A refusal with that status."""
    if status == 400:
        return dict(PROBLEM)
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "errors": []}
