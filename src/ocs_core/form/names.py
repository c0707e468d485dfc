"""Names that others gave: of time zones and currencies."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from ocs_core.form.failures import VALUE_NOT_ALLOWED, FormError


@attrs.frozen
class ZoneName:
    """The name of an IANA time zone."""

    def check(self, value: str) -> None:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise FormError(
                VALUE_NOT_ALLOWED, f"{value!r} is not the name of a time zone such as Europe/Madrid."
            ) from None


@attrs.frozen
class CurrencyName:
    """Three capital letters, as ISO 4217 names currencies."""

    def check(self, value: str) -> None:
        if not (len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
            raise FormError(VALUE_NOT_ALLOWED, f"{value!r} is not a code of ISO 4217 such as EUR.")
