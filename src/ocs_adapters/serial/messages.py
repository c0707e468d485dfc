"""The JSON Schema of every message's value; `python -m ocs_adapters.serial.messages docs/messages` writes them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ocs_adapters.serial.compatibility import breaking
from ocs_adapters.serial.schema import open_components
from ocs_core.messages import PAYLOADS, payload_type, schema_id, schema_version

ADVICE = "Readers of these versions would break: raise the payloads' versions in ocs_core.messages.SCHEMA_VERSIONS."


def schemas() -> Iterator[tuple[str, str]]:
    """File names and texts: one self-contained schema for each payload, of the version that it has now."""
    for code, cls in PAYLOADS.items():
        defs = open_components([cls])
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": schema_id(code),
            **defs.pop(payload_type(code)),
            "$defs": defs,
        }
        yield (
            f"{payload_type(code)}.{schema_version(code)}.json",
            json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
        )


def write(folder: Path) -> list[str]:
    """Write all schemas into a folder, and leave older versions as they are.

    Gives the changes that would break readers of a schema that is there; then nothing is written.
    """
    current = dict(schemas())
    refusals = [f"{file}: {change}" for file, text in current.items() for change in _breaking(folder / file, text)]
    if not refusals:
        for file, text in current.items():
            (folder / file).write_text(text, encoding="utf-8")
    return refusals


def _breaking(file: Path, text: str) -> list[str]:
    return breaking(json.loads(file.read_text(encoding="utf-8")), json.loads(text)) if file.exists() else []


if __name__ == "__main__":
    if refused := write(Path(sys.argv[1])):
        sys.exit("\n".join([*refused, ADVICE]))
