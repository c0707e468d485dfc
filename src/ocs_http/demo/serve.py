"""`ocs demo`: serve the demonstration until interrupted."""

from collections.abc import Collection, Iterator
from typing import Any

from ocs_http.app import create_app
from ocs_http.demo.requests import headers_with, trials
from ocs_http.demo.shown import Shown
from ocs_http.demo.site import APPLICATION, Site, site
from ocs_http.server import listen, run

RUNS = "/v1/rm/processes/runs?limit=1"
OPEN = "/v1/rm/payer/read-open-balance?externalId="


def main(entries: Collection[Any], port: int) -> None:
    with listen("127.0.0.1", port) as listening, site(entries) as made:
        app = create_app(made.platform.services, background=False)
        app.asgi_handler = Shown(app.asgi_handler)
        made.platform.services.start()
        print("A made-up ledger, thrown away at the end; interrupt to end. Requests are shown as they come.\n")
        print("Paste all of it into a shell, or one command after the other; again gives the same answers:\n")
        print("\n".join(_commands(listening.url, made)))
        print(f"\nAddress:     {listening.url} (the API is described at {listening.url}/docs)")
        print(f"Key:         {made.key}")
        print(f"Application: {APPLICATION}\n", flush=True)
        run(app, listening)


def _commands(url: str, made: Site) -> Iterator[str]:
    """Every use-case, and two reads, as text that a shell runs whole."""
    found = trials(made)
    for number, trial in enumerate(found, 1):
        yield f"echo '{number}. {trial.title}'\n{trial.curl(url, made.key)}"
    headers = " ".join(f"-H '{name}: {value}'" for name, value in headers_with(made.key).items())
    reads = {"How the run went on": RUNS, "What is open now": f"{OPEN}{made.highlights.account}"}
    for number, (title, path) in enumerate(reads.items(), len(found) + 1):
        yield f"echo '{number}. {title}'\ncurl -s '{url}{path}' \\\n  {headers}"
