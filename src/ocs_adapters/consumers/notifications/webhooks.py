"""Webhooks as Standard Webhooks has them: a signed POST, which the recipient knows by its `webhook-id` when it comes again."""

import datetime as dt
import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import anyio
import attrs
import httpx
import msgspec
from anyio.from_thread import BlockingPortal, start_blocking_portal
from standardwebhooks import Webhook

from ocs_adapters.consumers.notifications.backoff import retry_after
from ocs_adapters.consumers.notifications.deliveries import TOLD_AT_MOST, Delivery, Outcome
from ocs_adapters.telling import told
from ocs_core.messages import format_instant
from ocs_core.ports import Clock

TIMEOUT = 10.0
"""Seconds that a whole attempt may take."""
ANSWER_AT_MOST = 64 * 1024
"""Bytes that are read of an answer; a shorter one leaves the connection good for the next delivery."""
GONE = 410
OF_THE_RECIPIENT = (408, 425, 429)
"""Those of the 4xx that say nothing about the message: it came too late, too early, or behind too many others."""
USER_AGENT = f"ocs-rm/{importlib.metadata.version('ocs-rm')}"


def body_of(delivery: Delivery) -> bytes:
    """What is sent: the notification's value as it was published, with its code and its time."""
    return msgspec.json.encode(
        {
            "type": delivery.code,
            "timestamp": format_instant(delivery.occurred_at),
            "data": msgspec.Raw(delivery.value.encode()),
        }
    )


def headers_of(delivery: Delivery, body: bytes, secrets: Sequence[str], now: dt.datetime) -> Mapping[str, str]:
    """Signed with each of the secrets: while one takes the place of another, the recipient may know either."""
    ref_id = str(delivery.ref_id)
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        # What an answer says is kept as it comes.
        "accept-encoding": "identity",
        "webhook-id": ref_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(ref_id, now, body.decode()) for secret in secrets),
    }


@attrs.frozen
class Webhooks:
    """What all webhooks share: connections, and the clock that they are signed by.

    httpx itself bounds each step of a request, and a recipient that answers byte by byte takes for ever: only where requests
    can be cancelled, in an event loop, a bound for the whole holds.
    """

    portal: BlockingPortal
    client: httpx.AsyncClient
    clock: Clock
    timeout: float = TIMEOUT

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        return self.portal.call(self._post, url, body, headers)

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        response, said, failure = None, b"", f"There was no answer within {self.timeout:g} seconds."
        with anyio.move_on_after(self.timeout):
            try:
                async with self.client.stream("POST", url, content=body, headers=headers) as response:
                    async for chunk in response.aiter_raw():
                        said += chunk
                        if len(said) > ANSWER_AT_MOST:
                            break
            except httpx.LocalProtocolError:
                raise  # it is ours, and says nothing of the recipient
            except httpx.HTTPError as error:
                failure = told(error)
        if response is None:
            return Outcome(told=failure)
        delivered, status = response.is_success, response.status_code
        return Outcome(
            delivered=delivered,
            is_refused=response.is_client_error and status not in OF_THE_RECIPIENT,
            for_good=status == GONE,
            status=status,
            told=said[:TOLD_AT_MOST].decode(errors="replace") or None,
            retry_after=None if delivered else retry_after(response.headers.get("retry-after"), self.clock()),
        )


@attrs.frozen
class WebhookChannel:
    """The way to one recipient's webhook."""

    webhooks: Webhooks
    url: str
    secrets: Sequence[str] = attrs.field(repr=False)

    def send(self, delivery: Delivery) -> Outcome:
        body = body_of(delivery)
        return self.webhooks.post(self.url, body, headers_of(delivery, body, self.secrets, self.webhooks.clock()))


@contextmanager
def opened(clock: Clock) -> Iterator[Webhooks]:
    """Ready to send, until the end of the block."""
    client = httpx.AsyncClient(timeout=None, follow_redirects=False)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(client):
        yield Webhooks(portal, client, clock)
