"""The types of fields, with their constraints."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

from ocs_core.form.cron import CronExpression
from ocs_core.form.names import CurrencyName, ZoneName
from ocs_core.form.ranges import Whole
from ocs_core.form.texts import Text, Texts
from ocs_core.money import MAX_AMOUNT, MIN_AMOUNT

ExternalId = Annotated[str, Text(255, trimmed=True)]
Label = Annotated[str, Text(255)]
Note = Annotated[str, Text(2000)]
Code = Annotated[str, Text(60, trimmed=True)]
Zone = Annotated[str, ZoneName()]
Cron = Annotated[str, CronExpression()]
CurrencyCode = Annotated[str, CurrencyName()]
Amount = Annotated[int, Whole(MIN_AMOUNT, MAX_AMOUNT)]
PositiveAmount = Annotated[int, Whole(1, MAX_AMOUNT)]
AmountFromZero = Annotated[int, Whole(0, MAX_AMOUNT)]
TaxRate = Annotated[int, Whole(0, 100_000)]
"""Basis points: 2100 is 21 %."""
Moment = dt.datetime | dt.date
"""An instant, or a day, which stands for its end."""
DueDateOffset = Annotated[int, Whole(0, 3650)]
"""Days."""
CustomAttributes = Annotated[Mapping[str, str], Texts(50)]
"""What the caller keeps with a thing, for itself."""
