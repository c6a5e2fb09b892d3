"""Reads ranges of blocks from a node, one range ahead of the checks.

Memory: one range is worked on while the next is being fetched; ranges shrink as blocks grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from settle.audit import wire
from settle.audit.rpc import NodeLine
from settle.audit.wire import Json, NodeError

FIRST_RANGE: Final = 16
LARGEST_RANGE: Final = 256
_LOGS_A_RANGE: Final = 4_000
_ANSWERS_A_BLOCK: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What the node answered about consecutive blocks.

    `answers` has each block and its receipts in turn, `logs` what the log query says of
    `addresses`.
    """

    first: int
    answers: Sequence[Json | NodeError]
    logs: Json | NodeError
    addresses: frozenset[bytes]

    @property
    def size(self) -> int:
        """How many blocks."""
        return len(self.answers) // _ANSWERS_A_BLOCK


class BlockReader:
    """Fetches ranges, one ahead. `addresses`: whose logs are asked for a second time."""

    def __init__(self, line: NodeLine, addresses: Iterable[bytes]) -> None:
        """Read over `line`."""
        self._line = line
        self.addresses = frozenset(addresses)

    def ranges(self, first: int, last: int, stop_at: int | None = None) -> Iterator[Range]:
        """Give the blocks first..last; a range ends at `stop_at`. Raises Unavailable."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit-read") as pool:
            size = FIRST_RANGE
            ahead = self._submit(pool, first, size, last, stop_at)
            try:
                while ahead is not None:
                    found = ahead.result()
                    size = _next_size(found)
                    ahead = self._submit(pool, found.first + found.size, size, last, stop_at)
                    yield found
            finally:
                pool.submit(self._line.close)

    def _submit(
        self, pool: ThreadPoolExecutor, first: int, size: int, last: int, stop_at: int | None
    ) -> Future[Range] | None:
        if first > last:
            return None
        end = min(first + size - 1, last)
        if stop_at is not None and first <= stop_at < end:
            end = stop_at
        return pool.submit(self._fetch, first, end)

    def _fetch(self, first: int, last: int) -> Range:
        calls: list[tuple[str, Sequence[Json]]] = []
        for number in range(first, last + 1):
            calls.append(("eth_getBlockByNumber", [wire.quantity(number), True]))
            calls.append(("eth_getBlockReceipts", [wire.quantity(number)]))
        addresses = self.addresses
        wanted = {
            "fromBlock": wire.quantity(first),
            "toBlock": wire.quantity(last),
            "address": [wire.hexadecimal(address) for address in sorted(addresses)],
        }
        *answers, logs = self._line.batch([*calls, ("eth_getLogs", [wanted])])
        if isinstance(logs, NodeError) and last > first:
            logs = self._logs_by_block(wanted, first, last)
        return Range(first=first, answers=answers, logs=logs, addresses=addresses)

    def _logs_by_block(self, wanted: dict[str, Json], first: int, last: int) -> Json | NodeError:
        """Ask block by block: nodes bound how many blocks, or logs, one query may touch."""
        numbers = [wire.quantity(number) for number in range(first, last + 1)]
        found: list[Json] = []
        for logs in self._line.batch(
            [("eth_getLogs", [{**wanted, "fromBlock": n, "toBlock": n}]) for n in numbers]
        ):
            if not isinstance(logs, list):
                return logs
            found += logs
        return found


def _next_size(found: Range) -> int:
    """Let the next range hold about as many logs as fit; anything unreadable counts as none."""
    logs = len(found.logs) if isinstance(found.logs, list) else 0
    if logs > _LOGS_A_RANGE:
        return max(1, found.size * _LOGS_A_RANGE // logs)
    return min(LARGEST_RANGE, found.size * 2)
