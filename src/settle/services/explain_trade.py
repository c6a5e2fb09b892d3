"""Says why a trade has not settled, who can clear it, and what the chain says right now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from settle.domain.errors import Unavailable
from settle.domain.instruction import accounts_of
from settle.domain.reasons import Reason, kind_of
from settle.services.chain_calls import SignedInstruction
from settle.services.show_trades import find_trade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.domain.ids import Lei, TradeId
    from settle.services.trade_rows import TradeRow
    from settle.services.venue import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A reason in words."""

    reason: Reason
    sentence: str
    clears: str
    permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`stored`: why it stands where it stands, as of `trade.reasons_at`.

    `now`: what the chain answers to the terms and the consents that are there; empty if it would
    settle, None if there are no terms yet, it has ended, or the chain does not answer.
    """

    trade: TradeRow
    stored: tuple[Explained, ...]
    now: tuple[Explained, ...] | None


def explain_trade(venue: Venue, viewer: Lei | None, trade_id: TradeId) -> Explanation:
    """Explain a trade to a viewer; None sees all. Raises NotFound for a trade of others."""
    with venue.database.reading() as conn:
        trade = find_trade(venue, conn, viewer, trade_id)
        given = (
            {}
            if trade.digest is None
            else venue.store.signatures(conn, [trade.digest]).get(trade.digest, {})
        )
    now = None
    if trade.instruction is not None and not trade.status.is_terminal:
        accounts = accounts_of(trade.instruction)
        request = SignedInstruction(
            instruction=trade.instruction,
            signatures=tuple(given.get(account, b"") for account in accounts),
        )
        try:
            now = explained(venue.chain.why_not([request])[0])
        except Unavailable:
            now = None
    return Explanation(trade=trade, stored=explained(trade.reasons), now=now)


def explained(reasons: Sequence[Reason]) -> tuple[Explained, ...]:
    """Put reasons into words."""
    return tuple(
        Explained(
            reason=reason,
            sentence=kind.sentence,
            clears=kind.clears,
            permanent=kind.permanent,
        )
        for reason in reasons
        for kind in (kind_of(reason.code),)
    )
