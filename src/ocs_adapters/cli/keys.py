"""`ocs key`: who may call the HTTP API."""

from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter

from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Json, Refused, opened, privileges
from ocs_core.access import EVERYTHING, ApiKey, digest_of_key, new_key
from ocs_core.form import FormError, Text

app = App(name="key", help="Keys of applications that call the HTTP API: add, list and revoke them.")


@app.command(usage="Usage: ocs key add APPLICATION --privilege PRIVILEGE [PRIVILEGE ...]")
def add(
    application: str,
    /,
    *,
    privilege: Annotated[
        list[str],
        Parameter(
            consume_multiple=True,
            negative=(),
            metavar="PRIVILEGE",
            help=f"What the key allows; may be given several times. {EVERYTHING} is everything. The others: "
            f"{', '.join(privileges())}.",
        ),
    ],
) -> None:
    """Make a key for an application and print it: this once, since only its digest is kept.

    The application sends it as X-Ocs-Io-API-Key, and its own name as X-Ocs-Io-Application-Id.

    Args:
        application: What the application is called; a key is valid for it alone.
    """
    try:
        Text(255, trimmed=True).check(application)
    except FormError as error:
        raise Refused(f"The application's name: {error.message}") from None
    _check(privilege, privileges())
    key = new_key()
    with opened() as platform:
        services = platform.services
        services.keys.add(
            ApiKey(
                ref_id=services.ids(),
                application=application,
                digest=digest_of_key(key),
                privileges=frozenset(privilege),
                created_at=services.clock(),
            )
        )
    print(key)


@app.command(name="list")
def list_keys(*, json: Json = False) -> None:
    """List every key, the oldest first, revoked ones too; the keys themselves are not kept."""
    with opened() as platform:
        keys = platform.services.keys.all()
    rows = [
        (
            key.ref_id,
            key.application,
            sorted(key.privileges),
            key.created_at,
            key.revoked_at,
        )
        for key in keys
    ]
    say.table(["refId", "application", "privileges", "created", "revoked"], rows, json=json)


@app.command
def revoke(ref_id: str, /) -> None:
    """Revoke a key: within seconds, running servers no longer let it in.

    Args:
        ref_id: The key's refId, as ocs key list shows it.
    """
    try:
        named = UUID(ref_id)
    except ValueError:
        raise Refused(f"{ref_id} is not a refId; ocs key list shows them.") from None
    with opened() as platform:
        if not platform.services.keys.revoke(named, platform.services.clock()):
            raise Refused(f"There is no key {ref_id} that is not revoked already; ocs key list shows them.")
    print(f"Revoked {named}.")


def _check(privileges: list[str], known: list[str]) -> None:
    there_are = f"there are: {', '.join([EVERYTHING, *known])}."
    if not privileges:
        raise Refused(f"A key without a privilege opens nothing; give --privilege with at least one; {there_are}")
    unknown = sorted(set(privileges) - {*known, EVERYTHING})
    if unknown:
        several = "are no privileges" if len(unknown) > 1 else "is no privilege"
        raise Refused(f"{', '.join(unknown)} {several}; {there_are}")
