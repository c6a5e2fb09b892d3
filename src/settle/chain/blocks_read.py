"""Reads the next blocks of the chain with their events, all of one branch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from settle.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.chain.node import Header, Log, Node
    from settle.services.chain_rows import Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Consecutive blocks after the cursor and all events of the followed contracts in them."""

    headers: Sequence[Header]
    logs: Sequence[Log]


def read_stretch(
    node: Node, cursor: Cursor, last: int, addresses: Sequence[bytes]
) -> Stretch | None:
    """Read blocks cursor+1..last. None: they do not follow the cursor's block, the chain turned.

    Raises Unavailable if the chain changed between two answers: ask again.
    """
    first = cursor.number + 1
    headers = [header for header in node.headers(range(first, last + 1)) if header is not None]
    if not headers:
        raise _changing()
    if headers[0].number != first or headers[0].parent_hash != cursor.hash:
        return None
    for earlier, later in pairwise(headers):
        if later.parent_hash != earlier.hash or later.number != earlier.number + 1:
            raise _changing()
    newest = headers[-1]
    logs = node.logs(first, newest.number, addresses)
    # Events are asked by height. If the newest block is still the same afterwards, then so are the
    # blocks below it, and the events are those of this branch.
    again = node.header(newest.number)
    hashes = {header.number: header.hash for header in headers}
    if again is None or again.hash != newest.hash:
        raise _changing()
    if any(hashes.get(log.block_number) != log.block_hash for log in logs):
        raise _changing()
    ordered = sorted(logs, key=lambda log: (log.block_number, log.log_index))
    return Stretch(headers=headers, logs=ordered)


def _changing() -> Unavailable:
    return Unavailable(
        "the chain changed while it was read", retry_after_s=1, code="chain_changing"
    )
