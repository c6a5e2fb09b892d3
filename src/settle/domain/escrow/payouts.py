"""Who gets what at an end, in words and in sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.escrow.register import Register
from settle.domain.escrow.terms import EscrowLine, EscrowTerms, lines_of
from settle.domain.ids import Address, AssetId, to_hex

BY_WORDS: Final[Mapping[EndedBy, str]] = {
    EndedBy.AGREEMENT: "all agree",
    EndedBy.CONDITION: "condition shown",
    EndedBy.PANEL: "panel rules",
    EndedBy.FALLBACK_ARBITER: "fallback rules",
    EndedBy.DEFAULT: "deadline",
    EndedBy.SILENCE: "disputed, no ruling",
}
_RULED: Final = frozenset((EndedBy.PANEL, EndedBy.FALLBACK_ARBITER, EndedBy.AGREEMENT))


def paid_at(line: EscrowLine, by: EndedBy, outcome: Outcome) -> int | None:
    """Give what a line pays at an end, None where whoever rules says how much."""
    if by in _RULED:
        whole = {Outcome.RELEASED: line.quantity, Outcome.REFUNDED: 0}
        return whole.get(outcome)
    if by is EndedBy.CONDITION:
        return line.if_met
    return line.by_default if by is EndedBy.DEFAULT else line.if_unruled


def payments_at(
    terms: EscrowTerms,
    milestone: int,
    by: EndedBy,
    outcome: Outcome,
    *,
    register: Register,
    labels: Mapping[Address, str],
) -> list[str]:
    """Write a sentence for each payment of a milestone at an end."""
    found = []
    for line in lines_of(terms, milestone):
        paid = paid_at(line, by, outcome)
        gives, gets = (name_of(who, labels) for who in (line.depositor, line.beneficiary))
        if paid is None:
            whole = register.amount(line.asset, line.quantity)
            found.append(f"a part of {whole} to {gets}, the rest back to {gives}")
            continue
        back = line.quantity - paid
        parts = [f"{register.amount(line.asset, paid)} to {gets}"] if paid else []
        parts += [f"{register.amount(line.asset, back)} back to {gives}"] if back else []
        found.append(", ".join(parts))
    return found


def totals_at(
    terms: EscrowTerms, ends: tuple[tuple[EndedBy, Outcome], ...]
) -> dict[tuple[Address, AssetId], int] | None:
    """Sum what each account has gained or lost when all milestones have ended.

    Positive is to receive, in smallest units. None where somebody rules over an amount.
    """
    totals: dict[tuple[Address, AssetId], int] = {}
    for milestone, (by, outcome) in enumerate(ends):
        for line in lines_of(terms, milestone):
            paid = paid_at(line, by, outcome)
            if paid is None:
                return None
            for account, delta in ((line.depositor, -paid), (line.beneficiary, paid)):
                key = (account, line.asset)
                totals[key] = totals.get(key, 0) + delta
    return {key: total for key, total in totals.items() if total}


def name_of(account: Address, labels: Mapping[Address, str]) -> str:
    """Give the writer's name for an account, else its address in short."""
    text = to_hex(account)
    return labels.get(account, f"{text[:8]}…{text[-4:]}")
