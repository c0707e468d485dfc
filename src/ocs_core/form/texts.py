"""What a text may be, alone or as one of a map."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from ocs_core.errors import Violation
from ocs_core.form.checkers import typed
from ocs_core.form.failures import LENGTH_OUT_OF_RANGE, TEXT_NOT_ALLOWED, TYPE_WRONG, FormError, describe, escaped

_CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters, lone surrogates, and the separators of lines and paragraphs, with which a text is two lines."""
_INVISIBLE = {"Cf", "Co"}
"""Characters of no width or none at all, and such as turn the direction of what follows."""
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(n) for selectors in ((0x180B, 0x1810), (0xFE00, 0xFE10), (0xE0100, 0xE01F0)) for n in range(*selectors)
}
"""They count as letters, signs or marks, and nobody sees them."""


@attrs.frozen
class Text:
    """Text of 1 to `longest` characters without control characters, line separators and lone surrogates.

    `trimmed`: an id, which is compared exactly: no outer blanks, and nothing that nobody sees. Names and notes may hold the
    joiners that Persian and Indic scripts need, and signs that are made of several.
    """

    longest: int = 255
    trimmed: bool = False

    def check(self, value: str) -> None:
        if not 1 <= len(value) <= self.longest:
            raise FormError(
                LENGTH_OUT_OF_RANGE, f"Give 1 to {self.longest} characters, not {len(value)} (null means none)."
            )
        if found := _first(value, _CONTROLS):
            raise FormError(
                TEXT_NOT_ALLOWED,
                f"Control characters, line separators and lone surrogates are not allowed; there is U+{ord(found):04X}.",
            )
        if self.trimmed:
            self._check_id(value)

    def _check_id(self, value: str) -> None:
        if value != value.strip():
            raise FormError(TEXT_NOT_ALLOWED, "Leading and trailing blanks are not allowed: ids compare exactly.")
        if found := _first(value, _INVISIBLE, _UNSEEN):
            raise FormError(
                TEXT_NOT_ALLOWED, f"Characters that nobody sees are not allowed in ids; there is U+{ord(found):04X}."
            )


def _first(value: str, categories: Collection[str], others: Collection[str] = ()) -> str | None:
    """The first character of these categories, or one of the others."""
    if value.isascii() and value.isprintable():
        return None
    return next((c for c in value if unicodedata.category(c) in categories or c in others), None)


@attrs.frozen
class Texts:
    """A map of at most `most` names, each a code, to texts."""

    most: int
    name: Text = Text(60, trimmed=True)
    text: Text = Text(255)

    def check(self, value: Mapping[str, str]) -> None:
        for violation in self.failures(value, ""):
            raise FormError(violation.code, violation.message)

    def failures(self, value: Any, pointer: str) -> Sequence[Violation]:
        """Every failure of form, each at its own name."""
        if not isinstance(value, dict):
            return (Violation(TYPE_WRONG, pointer, f"Give an object, not {describe(value)}."),)
        found: list[Violation] = []
        if len(value) > self.most:
            message = f"Give at most {self.most} names, not {len(value)}."
            found.append(Violation(LENGTH_OUT_OF_RANGE, pointer, message))
        check_name, check_text = typed(str, [self.name]), typed(str, [self.text])
        for name, text in value.items():
            at = f"{pointer}/{escaped(name)}"
            found += (*check_name(name, at), *check_text(text, at))
        return found
