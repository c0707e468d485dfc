"""`ocs demo --once`: perform the use-cases over HTTP, and show what comes of them."""

import json
import time
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import httpx

from ocs_adapters.bootstrap import Platform
from ocs_http.app import create_app
from ocs_http.demo.requests import Try, headers_with, trials
from ocs_http.demo.site import Site, site
from ocs_http.server import listen, running

PATIENCE_SECONDS = 30
SHOWN = 3
"""How many messages of one kind are shown whole."""


class Disappointed(Exception):
    """Something did not happen that should have."""


def main(entries: Collection[Any]) -> None:
    """Raises `SystemExit` with a sentence where anything fails."""
    with site(entries) as made, listen("127.0.0.1", 0) as listening:
        made.platform.services.start()
        app = create_app(made.platform.services, background=False)
        with (
            running(app, listening),
            httpx.Client(base_url=listening.url, headers=headers_with(made.key), timeout=PATIENCE_SECONDS) as client,
        ):
            try:
                kept: dict[str, str] = {}
                for number, trial in enumerate(trials(made), 1):
                    _perform(number, trial, kept, client, made.platform)
                _show_balance(client, made)
            except (Disappointed, httpx.HTTPError) as error:
                raise SystemExit(f"The demonstration failed: {error}") from None
    print("\nAll use-cases were performed.")


def _perform(number: int, trial: Try, kept: dict[str, str], client: httpx.Client, platform: Platform) -> None:
    offset, body = _last_offset(platform), trial.body_with(kept)
    print(f"\n{'─' * 100}\n{number}. {trial.title}\n\nPOST {trial.path}\n{_pretty(body)}")
    answer = client.post(trial.path, json=body)
    print(f"\nAnswer {answer.status_code}\n{_pretty(answer.json())}")
    if answer.status_code != 200:
        raise Disappointed(f"{trial.operation} was answered with {answer.status_code}.")
    if trial.keeps:
        kept[trial.keeps] = answer.json()[0]["object"]["refId"]
    if trial.operation == "CalculateCollectionBalance":
        _await_run(answer.json()[0]["object"]["refId"], client)
    _show_messages(_messages(platform, offset, trial.body["requestId"]), trial)


def _await_run(ref_id: str, client: httpx.Client) -> None:
    path, until = f"/v1/rm/processes/runs/{ref_id}", time.monotonic() + PATIENCE_SECONDS
    while (run := client.get(path).raise_for_status().json())["state"] == "RUNNING":
        if time.monotonic() > until:
            raise Disappointed("the run did not come to its end.")
        time.sleep(0.05)
    print(f"\nGET {path}\n{_pretty(run)}")
    if run["state"] != "DONE":
        raise Disappointed(f"the run ended as {run['state']}.")


def _last_offset(platform: Platform) -> int:
    platform.relay.drain()
    offset = 0
    while page := platform.events.after(offset):
        offset = page[-1].offset
    return offset


def _messages(platform: Platform, offset: int, transaction: str) -> list[Any]:
    platform.relay.drain()
    found = []
    while page := platform.events.after(offset):
        offset = page[-1].offset
        found += [event for event in page if event.headers["X-Ocs-Io-transaction-id"] == transaction]
    return found


def _show_messages(messages: Sequence[Any], trial: Try) -> None:
    codes = Counter(_code(event) for event in messages)
    print("\nPublished: " + ", ".join(f"{count} {code}" for code, count in codes.items()))
    seen: Counter[str] = Counter()
    for event in messages:
        seen[_code(event)] += 1
        if seen[_code(event)] <= SHOWN:
            print(f"  {event.topic}  {_code(event)}  {json.dumps(_without_nulls(event.value), ensure_ascii=False)}")
    if missing := set(trial.publishes) - set(codes):
        raise Disappointed(f"{trial.operation} did not publish {', '.join(sorted(missing))}.")


def _code(event: Any) -> str:
    return str(event.headers["ce_type"].rpartition(".")[2])


def _show_balance(client: httpx.Client, made: Site) -> None:
    path = "/v1/rm/payer/read-collection-balance"
    answer = client.get(path, params={"externalId": made.highlights.account, "detailIncluded": "true"})
    print(
        f"\n{'─' * 100}\nThe balance of {made.highlights.account}, explained\n\nGET {answer.request.url.raw_path.decode()}"
    )
    print(f"\nAnswer {answer.status_code}\n{_pretty(answer.json())}")
    answer.raise_for_status()


def _pretty(value: Any) -> str:
    return json.dumps(_without_nulls(value), indent=2, ensure_ascii=False)


def _without_nulls(value: Any) -> Any:
    """What is null says nothing to a reader."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
