"""`ocs settings`: every variable that counts, and what it is now."""

import attrs

from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Json, read_settings
from ocs_adapters.settings import Settings
from ocs_adapters.settings.options import variable_of
from ocs_adapters.settings.secrecy import masked

SECRET = "***"


def settings(*, json: Json = False) -> None:
    """Show every setting: its variable in the environment, what it is now, and what it says. Passwords are not shown."""
    found = read_settings()
    rows = [
        (variable_of(field), _shown(field, getattr(found, field.name)), _help(field))
        for field in attrs.fields(Settings)
    ]
    say.table(["variable", "now", "what it says"], rows, json=json)


def _shown(field: "attrs.Attribute[object]", value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    return SECRET if field.name.endswith("_password") else masked(str(value))


def _help(field: "attrs.Attribute[object]") -> str:
    return str(field.metadata["help"])
