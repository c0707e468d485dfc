"""Clients that write all the time, and repeat each request until it is answered."""

import datetime as dt
import itertools
import random
import threading
import time
from collections.abc import Mapping
from typing import Any

import attrs
import httpx

UNIT = 1_000_000
ANSWER_SECONDS = 30.0
GIVE_UP_SECONDS = 180.0
PAUSE_SECONDS = 0.5
"""How long a client thinks between two requests."""


@attrs.define
class Clients:
    """So many threads; what was answered is kept: external number of a payment, and its id."""

    url: str
    headers: Mapping[str, str]
    count: int
    payments: dict[str, str] = attrs.field(factory=dict)
    requests: int = 0
    repeated: int = 0
    failures: list[str] = attrs.field(factory=list)
    _numbers: "itertools.count[int]" = attrs.field(factory=itertools.count)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def write(self, stop: threading.Event) -> list[threading.Thread]:
        """Begin to write until told to stop; each client finishes what it began."""
        threads = [threading.Thread(target=self._client, args=(n, stop)) for n in range(self.count)]
        for thread in threads:
            thread.start()
        return threads

    def _client(self, number: int, stop: threading.Event) -> None:
        try:
            with httpx.Client(base_url=self.url, headers=self.headers, timeout=ANSWER_SECONDS) as client:
                account = self._account(client, number)
                while not stop.is_set():
                    self._something(client, account)
                    stop.wait(random.random() * PAUSE_SECONDS)
        except Exception as error:
            self.failures.append(f"client {number}: {error!r}")

    def _account(self, client: httpx.Client, number: int) -> dict[str, str]:
        name = {"externalId": f"A-{number}"}
        try:
            self._post(client, "/v1/casm/account/create-account", accountType="payer", currency="EUR", **name)
        except Refused as refused:
            if "EXTERNAL_ID" not in str(refused):
                raise
        return name

    def _something(self, client: httpx.Client, account: Any) -> None:
        number = f"P-{next(self._numbers)}-{random.getrandbits(40):x}"
        what = random.random()
        if what < 0.1:
            self._post(client, "/v1/rm/payer/update-invoicing-flag", account=account, invoicingExcluded=what < 0.05)
            return
        paid = self._post(
            client,
            "/v1/rm/payments/register-payment",
            account=account if what < 0.9 else None,
            externalPaymentNo=number,
            paymentAmount=50 * UNIT,
            currency="EUR",
            paymentMethod="bankTransfer",
            paymentDateReceived=dt.datetime.now(dt.UTC).isoformat(),
        )
        self.payments[number] = paid[0]["object"]["refId"]
        if what < 0.4:
            invoice = self._post(
                client,
                "/v1/rm/documents/create-any-document",
                account=account,
                documentType="genericInvoice",
                currency="EUR",
                amount=80 * UNIT,
                taxIncluded=True,
            )
            self._post(
                client,
                "/v1/rm/payments/assign-payment-in-to-document",
                paymentRefId=paid[0]["object"]["refId"],
                documentRefId=invoice[0]["object"]["refId"],
                amount=50 * UNIT,
                currency="EUR",
            )

    def _post(self, client: httpx.Client, path: str, **body: Any) -> Any:
        with self._lock:
            self.requests += 1
            request_id = f"crash-{self.requests}-{random.getrandbits(60):x}"
        ends = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < ends:
            try:
                answer = client.post(path, json={"requestId": request_id, **body})
                if answer.status_code == httpx.codes.OK:
                    return answer.json()
                if (
                    answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR
                    and answer.status_code != httpx.codes.CONFLICT
                ):
                    raise Refused(answer.text)
            except httpx.TransportError:
                pass
            with self._lock:
                self.repeated += 1
            time.sleep(0.1)
        raise TimeoutError(f"{path} was not answered for {GIVE_UP_SECONDS:.0f} seconds")


class Refused(Exception):
    """The server says that a request is wrong."""
