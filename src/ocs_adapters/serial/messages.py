"""The JSON Schema of every message's value; `python -m ocs_adapters.serial.messages docs/messages` writes them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ocs_adapters.serial.schema import components
from ocs_core.messages import BUSINESS_TRANSACTIONS, NOTIFICATIONS, SCHEMA_VERSION, payload_type


def schemas() -> Iterator[tuple[str, str]]:
    """File names and texts: one self-contained schema for each payload and version."""
    for code, cls in {**BUSINESS_TRANSACTIONS, **NOTIFICATIONS}.items():
        name = payload_type(code)
        defs = components([cls])
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:ocs-rm:schema:{name}:{SCHEMA_VERSION}",
            **defs.pop(name),
            "$defs": defs,
        }
        yield f"{name}.{SCHEMA_VERSION}.json", json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for file, text in schemas():
        (Path(sys.argv[1]) / file).write_text(text, encoding="utf-8")
