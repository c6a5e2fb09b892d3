"""Logs as rows of the database and as events, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from settle.chain.events import EventDecoder
from settle.domain.chain_events import Place, Recorded
from settle.domain.ids import Address
from settle.services.chain_rows import LogRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from settle.chain.node import Log

CONTRACTS: Final = ("Settlement", "Participants", "Approver")
"""Whose events are known; those of Affirmation come from Settlement's address."""


class LogReader:
    """Names and decodes the events of the contracts."""

    def __init__(self) -> None:
        """Know the events of all contracts that are followed."""
        self._decoder = EventDecoder(*CONTRACTS)

    def row(self, log: Log) -> LogRow:
        """Write a log as the row that is stored."""
        topics = b"".join(log.topics)
        return LogRow(
            block_number=log.block_number,
            block_hash=log.block_hash,
            log_index=log.log_index,
            transaction_hash=log.transaction_hash,
            address=log.address,
            topics=topics,
            data=log.data,
            kind=self._decoder.name(topics),
        )

    def events(self, rows: Iterable[LogRow]) -> Iterator[Recorded]:
        """Decode rows; what says nothing about the books is left out. Raises Broken."""
        for row in rows:
            event = self._decoder.decode(row.topics, row.data)
            if event is not None:
                place = Place(
                    block_number=row.block_number,
                    block_hash=row.block_hash,
                    transaction=row.transaction_hash,
                    log_index=row.log_index,
                )
                yield Recorded(place=place, emitter=Address(row.address), event=event)


def first_above(events: Sequence[Recorded], number: int) -> int:
    """Give the index of the first event of a block above `number`."""
    for index, record in enumerate(events):
        if record.place.block_number > number:
            return index
    return len(events)


def by_block(events: Sequence[Recorded]) -> Iterable[tuple[int, Sequence[Recorded]]]:
    """Group events by the number of their block, ascending."""
    blocks: dict[int, list[Recorded]] = {}
    for record in events:
        blocks.setdefault(record.place.block_number, []).append(record)
    return blocks.items()
