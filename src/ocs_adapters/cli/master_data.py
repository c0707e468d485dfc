"""The configuration file: TOML, one array of tables per kind of master data, snake_case fields."""

import tomllib
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any

import attrs
import tomli_w

from ocs_adapters.serial import decode_entry
from ocs_core.entities.configuration import KINDS, Configuration
from ocs_core.errors import OcsError, RequestRejected, Violation


class FileWrong(OcsError):
    """A configuration file has failures; the message holds a line for each."""


def read_entries(text: str, name: str) -> list[Any]:
    """The entries of a file. Raises `FileWrong` with **every** failure: section, entry, field."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileWrong(f"{name} is not TOML: {error}.") from None
    entries: list[Any] = []
    failures: list[str] = []
    for section, items in content.items():
        if section not in KINDS:
            failures.append(f"[[{section}]]: there is no such section; the sections are {', '.join(KINDS)}.")
        elif not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            failures.append(f"[[{section}]]: write each entry under a [[{section}]] of its own.")
        else:
            failures.extend(_read_section(section, items, entries))
    if failures:
        raise FileWrong("\n".join([*failures, _told(name, failures)]))
    return entries


def refusal(violations: Sequence[Violation], name: str) -> str:
    """Violations at `/section/code/field` as lines, one for each."""
    lines = []
    for violation in violations:
        _, section, code, field = violation.field.split("/")
        lines.append(f"[[{section}]] {code}, {field}: {violation.message} ({violation.code})")
    return "\n".join([*lines, _told(name, lines)])


def written(configuration: Configuration) -> str:
    """Everything that is configured, as a file that `read_entries` reads the same entries from."""
    sections = {kind: getattr(configuration, kind).values() for kind in KINDS}
    return tomli_w.dumps({kind: [_plain(entry) for entry in found] for kind, found in sections.items() if found})


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return {
            name: _plain(inner)
            for name, inner in attrs.asdict(value, recurse=False).items()
            if inner is not None and inner != ()
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _told(name: str, failures: Sequence[str]) -> str:
    return f"{name} has {len(failures)} failure{'s' if len(failures) > 1 else ''}; nothing was changed."


def _read_section(section: str, items: list[dict[str, Any]], entries: list[Any]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, item in enumerate(items, 1):
        code = item.get("code")
        place = f"[[{section}]] {number}{f' ({code})' if isinstance(code, str) else ''}"
        try:
            entry: Any = decode_entry(KINDS[section], item)
        except RequestRejected as rejected:
            for violation in rejected.violations:
                field = violation.field.removeprefix("/").replace("/", ".") or "entry"
                yield f"{place}, {field}: {violation.message} ({violation.code})"
        else:
            if entry.code in seen:
                yield f"{place}, code: entry {seen[entry.code]} has the same code."
            seen[entry.code] = number
            entries.append(entry)
