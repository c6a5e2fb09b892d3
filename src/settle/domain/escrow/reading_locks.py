"""What the writer states of the other chain behind a hash lock.

It is no part of the terms: no chain knows the clock of another. `check` asks it for margins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from settle.domain.escrow.document import Node
from settle.domain.escrow.reading_values import duration_at, instant_at, word_at
from settle.domain.ids import Address

_MOST_LOCKS: Final = 32
_REQUIRED: Final = (
    "hash",
    "secret_of",
    "revealed_first",
    "other_chain",
    "other_deadline",
    "finality_here",
    "finality_there",
    "length_checked_there",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashLock:
    """One secret and two chains; instants in unix seconds, durations in seconds.

    `here_first` says on which chain the secret becomes known first. `other_deadline` is from when
    on the other chain's leg can be taken back. `margin` is the writer's, on top of finality.
    """

    digest: bytes
    secret_of: Address
    here_first: bool
    other_chain: str
    other_deadline: int
    finality_here: int
    finality_there: int
    margin: int
    length_checked: bool


def hash_locks_at(
    node: Node | None, account: Callable[[Node], Address], open_by: int
) -> tuple[HashLock, ...]:
    """Read the list of hash locks, if there is one. Raises: InvalidInput."""
    if node is None:
        return ()
    return tuple(
        _lock(entry, account, open_by) for entry in node.elements("hash locks", most=_MOST_LOCKS)
    )


def _lock(node: Node, account: Callable[[Node], Address], open_by: int) -> HashLock:
    node.table(_REQUIRED, ("margin",))
    first = node.at("revealed_first")
    if first.value not in ("here", "there"):
        raise first.fault("revealed_first", "the secret is revealed first 'here' or 'there'")
    checked = node.at("length_checked_there")
    if not isinstance(checked.value, bool):
        raise checked.fault("length_checked", "expected true or false")
    margin = node.get("margin")
    return HashLock(
        digest=word_at(node.at("hash")),
        secret_of=account(node.at("secret_of")),
        here_first=first.value == "here",
        other_chain=node.at("other_chain").text("the name of the other chain"),
        other_deadline=instant_at(node.at("other_deadline"), open_by),
        finality_here=duration_at(node.at("finality_here")),
        finality_there=duration_at(node.at("finality_there")),
        margin=0 if margin is None else duration_at(margin),
        length_checked=checked.value,
    )
