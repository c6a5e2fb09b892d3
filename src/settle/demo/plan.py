"""Deals the tape out: who trades with whom, who starts short, and which trades go wrong.

Pure: the same tape, number of participants and seed give the same plan.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from settle.domain.errors import InvalidInput
from settle.domain.ids import Bic, Lei, lei_check_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settle.demo.tape import Tape, TapeTrade
    from settle.domain.tolerance import Tolerance

_NAMES: Final = (
    "Alfa Beta Gama Delt Epsi Zeta Etaa Thet Iota Kapp Lamb Myyy Nyyy Xiii Omik Piii Rhoo Sigm "
    "Tauu Ypsi"
).split()
_BIC_PLACES: Final = {"BETA": "FRP0"}
_LEAST: Final = 2
_AT_FIRST_PERCENT: Final = 30
_CURRENCY: Final = 3


class Fate(Enum):
    """What the story has in store for a trade."""

    SETTLES = "settles"
    WITHIN_TOLERANCE = "within tolerance"
    QUANTITY_DIFFERS = "quantity differs"
    OUTSIDE_TOLERANCE = "outside tolerance"
    NEVER_SIGNED = "never signed by the buyer, lapses"
    CANCELLED = "cancelled by both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A participant of the demo, invented."""

    lei: Lei
    bic: Bic
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A line of the tape between two members, by their place in the cast."""

    reference: str
    seller: int
    buyer: int
    trade: TapeTrade
    fate: Fate
    buyer_quantity: int
    buyer_amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cast, its deals in order, and what each has at first and gets half way, by asset code."""

    members: tuple[Member, ...]
    deals: tuple[Deal, ...]
    at_first: Mapping[int, Mapping[str, int]]
    half_way: Mapping[int, Mapping[str, int]]


def cast(count: int) -> tuple[Member, ...]:
    """Invent participants. Raises InvalidInput for a number that the demo has no names for."""
    if not _LEAST <= count <= len(_NAMES):
        message = f"from {_LEAST} to {len(_NAMES)} participants, not {count}"
        raise InvalidInput("participants", message)
    return tuple(_member(name) for name in _NAMES[:count])


def _member(name: str) -> Member:
    letters = name.upper()
    base = f"999900DEMOBANK{letters}"
    return Member(
        lei=Lei(base + lei_check_digits(base)),
        bic=Bic(f"{letters}{_BIC_PLACES.get(letters, 'DEF0')}XXX"),
        name=f"Bank {name}",
    )


def make_plan(tape: Tape, count: int, seed: int, tolerance: Tolerance) -> Plan:
    """Give every trade its parties and its fate, and every member what it needs.

    One member is short of cash and one of a security, by more than others bring them: what they
    lack comes half way. Raises InvalidInput for a tape that is too short for the story.
    """
    members = cast(count)
    dice = random.Random(seed)  # noqa: S311  who trades with whom is no secret
    fates = _fates(len(tape.trades), dice)
    deals = tuple(
        _deal(trade, fate, dice.sample(range(count), 2), tolerance)
        for trade, fate in zip(tape.trades, fates, strict=True)
    )
    needs = _needs(deals)
    half_way = _shortfalls(needs, _net_needs(deals))
    at_first = {
        member: {code: units - half_way.get(member, {}).get(code, 0) for code, units in of.items()}
        for member, of in needs.items()
    }
    return Plan(members=members, deals=deals, at_first=at_first, half_way=half_way)


def _fates(count: int, dice: random.Random) -> list[Fate]:
    special = [
        *[Fate.QUANTITY_DIFFERS] * 3,
        *[Fate.WITHIN_TOLERANCE] * 4,
        Fate.OUTSIDE_TOLERANCE,
        Fate.NEVER_SIGNED,
        Fate.CANCELLED,
    ]
    if count < 2 * len(special):
        raise InvalidInput("tape_short", f"the demo wants at least {2 * len(special)} trades")
    fates = [*special, *[Fate.SETTLES] * (count - len(special))]
    dice.shuffle(fates)
    return fates


def _deal(trade: TapeTrade, fate: Fate, parties: list[int], tolerance: Tolerance) -> Deal:
    quantity, amount = trade.quantity, trade.amount
    allowed = tolerance.allowed(trade.currency, amount)
    if fate is Fate.QUANTITY_DIFFERS:
        quantity += 1
    elif fate is Fate.WITHIN_TOLERANCE:
        amount += min(allowed, 100)
    elif fate is Fate.OUTSIDE_TOLERANCE:
        amount += allowed + 1_000
    return Deal(
        reference=f"T{trade.line:05d}",
        seller=parties[0],
        buyer=parties[1],
        trade=trade,
        fate=fate,
        buyer_quantity=quantity,
        buyer_amount=amount,
    )


def _needs(deals: tuple[Deal, ...]) -> dict[int, dict[str, int]]:
    """What each would need if nothing came in before all has gone out."""
    needs: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for deal in deals:
        needs[deal.seller][deal.trade.isin] += deal.trade.quantity
        needs[deal.buyer][deal.trade.currency] += deal.trade.amount
    return {member: dict(of) for member, of in needs.items()}


def _net_needs(deals: tuple[Deal, ...]) -> dict[tuple[int, str], int]:
    """What each gives more than it gets, by member and asset code, in the trades that settle."""
    net: dict[tuple[int, str], int] = defaultdict(int)
    for deal in deals:
        if deal.fate in (Fate.SETTLES, Fate.WITHIN_TOLERANCE):
            trade = deal.trade
            net[deal.seller, trade.isin] += trade.quantity
            net[deal.buyer, trade.isin] -= trade.quantity
            net[deal.buyer, trade.currency] += trade.amount
            net[deal.seller, trade.currency] -= trade.amount
    return net


def _shortfalls(
    needs: Mapping[int, Mapping[str, int]], net: Mapping[tuple[int, str], int]
) -> dict[int, dict[str, int]]:
    """Leave one member with a part of its net need of cash, another with that of a security.

    So not all of their trades can settle before the rest comes, in whichever order they are tried.
    """
    by_need = sorted(net, key=lambda of: (-net[of], of))
    poor, cash = next(of for of in by_need if len(of[1]) == _CURRENCY)
    bare, paper = next(of for of in by_need if len(of[1]) != _CURRENCY and of[0] != poor)
    return {
        member: {code: needs[member][code] - max(0, net[member, code]) * _AT_FIRST_PERCENT // 100}
        for member, code in ((poor, cash), (bare, paper))
    }
