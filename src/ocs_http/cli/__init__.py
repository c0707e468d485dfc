"""The commands that this package adds to `ocs`: where each is, and what it does in a sentence."""

from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": (
        "ocs_http.cli.serve:serve",
        "Serve the HTTP API, run processes at their times and publish messages, until interrupted or terminated.",
    ),
    "demo": (
        "ocs_http.cli.demo:demo",
        "Try everything on a made-up ledger, in a database that is thrown away at the end.",
    ),
}
"""The entry point of the group `ocs.commands`."""
