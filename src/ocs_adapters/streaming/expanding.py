"""Messages that tell configured things with their names, for those who want them so."""

from collections.abc import Callable, Sequence

import attrs

from ocs_adapters.serial import codes
from ocs_core.entities.configuration import Configuration
from ocs_core.ports import OutboxRow, Published, Publisher


@attrs.frozen
class Expanding:
    """A `Publisher` that gives another one messages with `{refId, code, name}` in the place of codes, under an expanded
    schema; names are those that are configured when it publishes."""

    publisher: Publisher
    configuration: Callable[[], Configuration]

    def publish(self, rows: Sequence[OutboxRow]) -> Published:
        configuration = self.configuration()
        return self.publisher.publish(
            [
                attrs.evolve(
                    row,
                    headers=codes.headers_expanded(row.headers),
                    value=codes.expanded(row.value, configuration),
                )
                for row in rows
            ]
        )

    def close(self) -> None:
        self.publisher.close()
