"""Between values and JSON: what goes out (`wire`), what comes in (`forms`), and its published schemas (`schema`)."""

from ocs_adapters.serial.codes import expanded
from ocs_adapters.serial.forms import decode_entry, decode_request
from ocs_adapters.serial.parsing import parse_json
from ocs_adapters.serial.schema import components
from ocs_adapters.serial.wire import (
    decode_answer,
    decode_payload,
    encode,
    encode_answer,
    encode_each,
    encode_entry,
    plain,
)

__all__ = [
    "components",
    "decode_answer",
    "decode_entry",
    "decode_payload",
    "decode_request",
    "encode",
    "encode_answer",
    "encode_each",
    "encode_entry",
    "expanded",
    "parse_json",
    "plain",
]
