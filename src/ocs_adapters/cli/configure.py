"""`ocs configure`: the master data in the database."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from ocs_adapters.bootstrap import Platform
from ocs_adapters.cli import say
from ocs_adapters.cli.commands import Flag, Json, Refused, example_text, opened
from ocs_adapters.cli.master_data import FileWrong, read_entries, refusal, written
from ocs_core.configuring import Difference, differences
from ocs_core.entities.configuration import KINDS
from ocs_core.errors import RequestRejected

STANDARD_INPUT = "-"


def _is_there(_: object, value: Any) -> None:
    if value is None or str(value) == STANDARD_INPUT:
        return
    if str(value).startswith("-"):
        raise ValueError(f"Unknown option: {value}.")
    if not Path(value).is_file():
        raise ValueError(f'"{value}" does not exist.')


app = App(
    name="configure",
    usage="Usage: ocs configure FILE [--dry-run] [--json]\n       ocs configure --example | --show",
)


@app.default
def configure(
    file: Annotated[Path | None, Parameter(validator=_is_there, allow_leading_hyphen=True)] = None,
    /,
    *,
    dry_run: Flag = False,
    example: Flag = False,
    show: Flag = False,
    json: Json = False,
) -> None:
    """Take master data from a file: what is new is added, what has the code of something there replaces it.

    All of it is taken, or, with any failure, nothing; every failure is told. What the file does not list stays as it is,
    but a field that a listed entry leaves out has its default. What contradicts what is kept is refused: minor_digits of
    a currency that is used, payment_responsible of a type that there are accounts of.

    Args:
        file: A TOML file of sections such as [[currencies]], one for each entry; - is standard input.
        dry_run: Only show what would change, field by field.
        example: Print a complete example with comments, which can be taken as it is.
        show: Print what is configured, as a file that can be taken again.
    """
    if [file is not None, example, show].count(True) != 1:
        raise Refused("Give the file to take, or --example to see one, or --show to see what is configured.")
    if example:
        print(example_text(), end="")
        return
    with opened() as platform:
        if file is None:
            print(written(platform.services.queries.configuration()), end="")
        else:
            _take(platform, file, json=json, dry_run=dry_run)


def _take(platform: Platform, file: Path, *, dry_run: bool, json: bool) -> None:
    name, text = _text(file)
    entries = read_entries(text, name)
    before = platform.services.queries.configuration()
    try:
        if not dry_run:
            before = platform.configure(entries)
        elif refused := platform.refusals(entries):
            raise RequestRejected(*refused)
    except RequestRejected as rejected:
        raise FileWrong(refusal(rejected.violations, name)) from None
    found = differences(before, entries)
    counted = say.Table(["section", "new ", "changed ", "unchanged "], _counts(entries, found))
    if dry_run:
        rows = [(d.kind, d.code, d.field, _shown(d.before), _shown(d.after)) for d in found]
        told = say.Table(["section", "code", "field", "is", "would be"], rows, "Nothing was changed: a dry run.")
        say.several(json=json, differences=told, entries=counted)
    else:
        say.table(counted.columns, counted.rows, json=json)


def _text(file: Path) -> tuple[str, str]:
    """What the file is called, and what is in it."""
    name, content = str(file), b""
    try:
        if name == STANDARD_INPUT:
            name, content = "Standard input", sys.stdin.buffer.read()
        else:
            content = file.read_bytes()
        return name, content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise FileWrong(f"{name} is not TOML: it is not UTF-8 text.") from None


def _counts(entries: Sequence[Any], found: Sequence[Difference]) -> list[list[Any]]:
    kind_of = {cls: kind for kind, cls in KINDS.items()}
    changed = {(d.kind, d.code): d.is_new for d in found}
    counts: dict[str, list[int]] = {}
    for entry in entries:
        kind = kind_of[type(entry)]
        is_new = changed.get((kind, str(entry.code)))
        counts.setdefault(kind, [0, 0, 0])[2 if is_new is None else 0 if is_new else 1] += 1
    return [[kind, *numbers] for kind, numbers in counts.items()]


def _shown(value: Any) -> Any:
    if isinstance(value, tuple):
        return ", ".join(f"{rate.rate} from {rate.valid_from}" for rate in value)
    return str(value).lower() if isinstance(value, bool) else value
