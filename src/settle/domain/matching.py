"""Two sides of a trade: whether they say the same, and the terms that both then sign.

Source: RTS (EU) 2018/1229 Art. 5 (matching fields); reason codes from the unmatched list of
sese.024.001.12. A match is a fact of both sides, so every answer is the same whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from operator import attrgetter
from typing import Final

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, AssetId, Lei, to_hex
from settle.domain.instruction import OPTION_PARTIAL, Instruction, Leg
from settle.domain.side import Movement, Payment, QuantityKind, TradeSide, check_side
from settle.domain.tolerance import Tolerance
from settle.domain.window import Window

__all__ = [
    "Candidates",
    "Mismatch",
    "Movement",
    "Payment",
    "QuantityKind",
    "TradeSide",
    "candidates",
    "canonical_terms",
    "check_side",
    "compare",
    "match_key",
    "proposed_terms",
]

# Mandatory and additional fields are equal or do not match: one side leaving out what the other
# gives is a difference. Optional ones differ only where both sides give them.
_MANDATORY: Final = (
    ("payment", "FRAP"),
    ("transaction_type", "SETR"),
    ("isin", "DSEC"),
    ("quantity_kind", "DQUA"),
    ("quantity", "DQUA"),
    ("trade_date", "DTRD"),
    ("settlement_date", "DDAT"),
    ("currency", "NCRR"),
)
_PARTIES: Final = (
    ("delivering_party", "ICAG"),
    ("receiving_party", "ICAG"),
    ("delivering_depository", "DEPT"),
    ("receiving_depository", "DEPT"),
)
_ADDITIONAL: Final = (("opt_out", "DMCT"), ("ex_cum", "DCMX"))
_OPTIONAL: Final = (
    ("common_reference", "IIND"),
    ("delivering_client", "ICUS"),
    ("receiving_client", "ICUS"),
)
_MUST_BE_EQUAL: Final = attrgetter(*(field for field, _ in (*_MANDATORY, *_PARTIES, *_ADDITIONAL)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One field on which two sides differ. Values as text, None where a side leaves it out."""

    field: str
    code: str
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What the waiting sides offer: the one that fits, or else the one that nearly does."""

    match: TradeSide | None
    near: TradeSide | None
    mismatches: tuple[Mismatch, ...]


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return to_hex(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _mismatch(field: str, code: str, ours: object, theirs: object) -> Mismatch:
    return Mismatch(field=field, code=code, ours=_text(ours), theirs=_text(theirs))


def _turned(side: TradeSide) -> TradeSide:
    """Exchange the ends of a side: what it would state if it meant the other direction."""
    return replace(
        side,
        delivering_party=side.receiving_party,
        receiving_party=side.delivering_party,
        delivering_depository=side.receiving_depository,
        receiving_depository=side.delivering_depository,
        delivering_client=side.receiving_client,
        receiving_client=side.delivering_client,
    )


def _differences(ours: TradeSide, theirs: TradeSide, tolerance: Tolerance) -> Iterator[Mismatch]:
    if ours.movement == theirs.movement:
        yield _mismatch("movement", "DELN", ours.movement, theirs.movement)
        # One wrong direction is one difference, not one more for each party that it displaces.
        theirs = _turned(theirs)
    for field, code in (*_MANDATORY, *_PARTIES, *_ADDITIONAL):
        a, b = getattr(ours, field), getattr(theirs, field)
        if a != b:
            yield _mismatch(field, code, a, b)
    if not _amounts_agree(ours, theirs, tolerance):
        yield _mismatch("amount", "DMON", ours.amount, theirs.amount)
    for field, code in _OPTIONAL:
        a, b = getattr(ours, field), getattr(theirs, field)
        if a is not None and b is not None and a != b:
            yield _mismatch(field, code, a, b)
    accounts = (
        ("account", ours.account, theirs.counterparty_account),
        ("counterparty_account", ours.counterparty_account, theirs.account),
    )
    for field, mine, told in accounts:
        if mine is not None and told is not None and mine != told:
            yield _mismatch(field, "SAFE", mine, told)


def _amounts_agree(a: TradeSide, b: TradeSide, tolerance: Tolerance) -> bool:
    """Within the tolerance of each side; amounts of two currencies or of none are not compared."""
    if a.amount is None or b.amount is None or a.currency is None or a.currency != b.currency:
        return True
    allowed = min(tolerance.allowed(a.currency, amount) for amount in (a.amount, b.amount))
    return abs(a.amount - b.amount) <= allowed


def compare(ours: TradeSide, theirs: TradeSide, tolerance: Tolerance) -> tuple[Mismatch, ...]:
    """List every matching field on which two sides differ; empty means that they match.

    Symmetric in outcome: asked the other way round, the same codes with ours and theirs exchanged.
    """
    return tuple(_differences(ours, theirs, tolerance))


def match_key(side: TradeSide) -> tuple[object, ...]:
    """Give what two sides must have in common to match: an index to look a counterpart up by.

    Sides that match have equal keys and opposite movements; equal keys alone are no match yet.
    """
    key: tuple[object, ...] = _MUST_BE_EQUAL(side)
    return key


def _face_each_other(a: TradeSide, b: TradeSide) -> bool:
    return a.counterparty == b.submitted_by and b.counterparty == a.submitted_by


def _means_the_same_trade(a: TradeSide, b: TradeSide) -> bool:
    """Whether two sides are about one trade: the same reference, else the same security."""
    if a.common_reference is not None and b.common_reference is not None:
        return a.common_reference == b.common_reference
    return a.isin == b.isin


def candidates(side: TradeSide, waiting: Iterable[TradeSide], tolerance: Tolerance) -> Candidates:
    """Find what fits a side among the unmatched ones: the oldest that matches.

    Where none matches, `near` is the one that means the same trade (the two parties name each
    other, and the reference is the same or, where not both give one, the security), with the fewest
    differences, the oldest of equals. The order of `waiting` does not matter.
    """
    facing = sorted(
        (other for other in waiting if _face_each_other(side, other)), key=lambda other: other.age
    )
    nearest: tuple[TradeSide, tuple[Mismatch, ...]] | None = None
    for other in facing:
        mismatches = compare(side, other, tolerance)
        if not mismatches:
            return Candidates(match=other, near=None, mismatches=())
        fewer = nearest is None or len(mismatches) < len(nearest[1])
        if fewer and _means_the_same_trade(side, other):
            nearest = (other, mismatches)
    if nearest is None:
        return Candidates(match=None, near=None, mismatches=())
    return Candidates(match=None, near=nearest[0], mismatches=nearest[1])


def canonical_terms(
    first: TradeSide,
    second: TradeSide,
    assets: Mapping[str, AssetId],
    accounts: Mapping[Lei, Address],
    window: Window,
) -> Instruction:
    """Give the one set of terms that both sides of a match sign.

    The first side's account initiates, with its nonce and salts; all else is the same whichever
    came first. Leg 0 is the delivery, leg 1 the payment in the amount that the deliverer states.
    Parts are allowed where both allow them and the larger of the two minimum lots fits twice.
    `assets` by ISIN and currency; `accounts` for a party of which neither side names the account.
    Raises: InvalidInput for an asset or an account that neither side nor the register gives.
    """
    deliverer, receiver = (first, second) if first.movement == "DELI" else (second, first)
    delivering = _account(deliverer, receiver, accounts)
    receiving = _account(receiver, deliverer, accounts)
    legs = [
        Leg(
            asset=_asset(deliverer.isin, assets, "/isin"),
            deliverer=delivering,
            receiver=receiving,
            quantity=deliverer.quantity,
        )
    ]
    if deliverer.payment == "APMT" and deliverer.currency and deliverer.amount:
        legs.append(
            Leg(
                asset=_asset(deliverer.currency, assets, "/currency"),
                deliverer=receiving,
                receiver=delivering,
                quantity=deliverer.amount,
            )
        )
    lot = max(1, first.minimum_lot, second.minimum_lot)
    partial = first.partial_allowed and second.partial_allowed and 2 * lot <= deliverer.quantity
    return Instruction(
        initiator=delivering if first is deliverer else receiving,
        nonce=first.nonce,
        settle_from=window.settle_from,
        settle_by=window.settle_by,
        options=OPTION_PARTIAL if partial else 0,
        minimum_lot=lot if partial else 0,
        trade_ref=first.trade_ref,
        terms=first.terms,
        legs=tuple(legs),
    )


def proposed_terms(
    side: TradeSide,
    assets: Mapping[str, AssetId],
    accounts: Mapping[Lei, Address],
    window: Window,
) -> Instruction:
    """Give the terms that would result if the other party stated exactly the same.

    What a first side signs in advance, and what an allegement shows.
    """
    answer = replace(
        side,
        movement="RECE" if side.movement == "DELI" else "DELI",
        submitted_by=side.counterparty,
        account=side.counterparty_account,
        counterparty_account=side.account,
    )
    return canonical_terms(side, answer, assets, accounts, window)


def _account(side: TradeSide, other: TradeSide, accounts: Mapping[Lei, Address]) -> Address:
    found = side.account or other.counterparty_account or accounts.get(side.submitted_by)
    if found is None:
        message = f"the participant {side.submitted_by} has no account"
        raise InvalidInput("account_unknown", message, "/account")
    return found


def _asset(code: str, assets: Mapping[str, AssetId], pointer: str) -> AssetId:
    try:
        return assets[code]
    except KeyError:
        raise InvalidInput("asset_unknown", f"there is no asset {code}", pointer) from None
