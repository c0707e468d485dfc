"""`ocs demo`: serve the demonstration until interrupted."""

from collections.abc import Collection
from typing import Any

from ocs_http.app import create_app
from ocs_http.demo.requests import five, headers_with
from ocs_http.demo.site import APPLICATION, site
from ocs_http.server import listen, run

RUN = "/v1/rm/processes/runs/"


def main(entries: Collection[Any], port: int) -> None:
    with listen("127.0.0.1", port) as listening, site(entries) as made:
        print(f"Listening on {listening.url} (the API is described at {listening.url}/docs)")
        print(f"Key:         {made.key}")
        print(f"Application: {APPLICATION}")
        print("\nTry the five use-cases; each command can be pasted, and pasted again gives the same answer:")
        for number, trial in enumerate(five(made), 1):
            print(f"\n# {number}. {trial.title}\n{trial.curl(listening.url, made.key)}")
        headers = " ".join(f"-H '{name}: {value}'" for name, value in headers_with(made.key).items())
        print(f"\nHow the run went on, by the refId of its answer:\ncurl -s {listening.url}{RUN}REF_ID {headers}")
        print("\nEverything is thrown away at the end; interrupt to end.", flush=True)
        made.platform.services.start()
        run(create_app(made.platform.services, background=False), listening)
