"""Why something cannot be done now: a code, and the values that were found (law L6).

Where sese.024 has a code that says the same, ours is that code; the others begin with X and are
told in messages as the nearest ISO code with our sentence as the narrative.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from settle.domain.errors import Broken
from settle.domain.ids import Address
from settle.domain.reason_kinds import OFF_CHAIN, ON_CHAIN, ClearedBy, IsoList, Measure, ReasonKind

__all__ = [
    "OFF_CHAIN",
    "ON_CHAIN",
    "REASONS",
    "ClearedBy",
    "IsoList",
    "Measure",
    "Reason",
    "ReasonKind",
    "iso_code",
    "kind_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason, with the values that the chain found.

    `leg` is the index of the leg, or of the account for a consent; 0 where neither applies. `who`
    is the account that can clear it or that it concerns. `needed` and `have` are in the measure of
    the code's kind: smallest units, unix seconds, a count.
    """

    code: str
    leg: int = 0
    who: Address | None = None
    needed: int = 0
    have: int = 0


REASONS: Final[Mapping[str, ReasonKind]] = {kind.code: kind for kind in (*ON_CHAIN, *OFF_CHAIN)}


def kind_of(code: str) -> ReasonKind:
    """Look a code up.

    Raises: Broken for a code outside the table, which no program of ours gives.
    """
    try:
        return REASONS[code]
    except KeyError:
        raise Broken(f"the reason code {code!r} is not in the table of reasons") from None


def iso_code(reason: Reason, viewer: Collection[Address]) -> str:
    """Give the code of sese.024 as told to the side that owns the accounts `viewer`.

    LACK to the deliverer is CLAC to the receiver, and so on. A reason of no account is told alike.
    """
    kind = kind_of(reason.code)
    own = reason.who is None or reason.who in viewer
    return kind.iso if own else kind.iso_other
