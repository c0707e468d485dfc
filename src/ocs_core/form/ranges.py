"""How large a number, and how long a list, may be."""

from typing import Any

import attrs

from ocs_core.form.failures import LENGTH_OUT_OF_RANGE, VALUE_OUT_OF_RANGE, FormError


@attrs.frozen
class Whole:
    """A whole number from `least` to `most`, both included."""

    least: int
    most: int

    def check(self, value: int) -> None:
        if not self.least <= value <= self.most:
            raise FormError(VALUE_OUT_OF_RANGE, f"Give a whole number from {self.least} to {self.most}.")


@attrs.frozen
class Items:
    """A list of `least` to `most` items."""

    least: int
    most: int

    def check(self, value: tuple[Any, ...]) -> None:
        if not self.least <= len(value) <= self.most:
            raise FormError(LENGTH_OUT_OF_RANGE, f"Give {self.least} to {self.most} items, not {len(value)}.")
