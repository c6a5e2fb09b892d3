"""Participants in processes of their own: they submit, sign, and keep a bounded number open."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from settle.demo.actor import Actor
from settle.demo.plan import Deal, Fate, Member
from settle.demo.sides import side_of
from settle.demo.tape import TapeTrade
from settle.domain.ids import AssetId, CurrencyCode, Isin
from settle.signer.review import Market

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    from settle.demo.stage import Hours
    from settle.domain.instruction import SigningDomain

ISIN: Final = Isin("DE0007164600")
ASSETS: Final = {ISIN: AssetId(1), "EUR": AssetId(2)}
BATCH: Final = 200


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A seller and a buyer that trade with each other, and all that their process is told."""

    number: int
    members: tuple[Member, Member]
    keys: tuple[bytes, bytes]
    folder: str
    url: str
    hours: Hours
    domain: SigningDomain
    fate: Fate = Fate.SETTLES


def run_pair(
    pair: Pair,
    seconds: int,
    most: int,
    ahead: int,
    submitted: Synchronized[int],
    settled: Synchronized[int],
) -> None:
    """Trade for so many seconds, or until `most` trades are in, with about `ahead` open in all.

    Counts in `submitted` what both sides have submitted and signed; `settled` is counted elsewhere.
    """
    actors = [_actor(pair, place) for place in (0, 1)]
    _introduce(pair, actors)
    ends_at = time.monotonic() + seconds
    done = 0
    while time.monotonic() < ends_at and done < most:
        deals = [_deal(pair, done + k) for k in range(min(BATCH, most - done))]
        for place, actor in enumerate(actors):
            other = actors[1 - place]
            actor.submit(
                [side_of(d, actor, other, sells=place == 0, hours=pair.hours) for d in deals]
            )
        for actor in actors:
            actor.sign_pending()
        done += len(deals)
        with submitted.get_lock():
            submitted.value += len(deals)
        while submitted.value - settled.value > ahead and time.monotonic() < ends_at:
            time.sleep(0.02)


def _actor(pair: Pair, place: int) -> Actor:
    # The journal stays with the participant from one run to the next: it counts the nonces.
    folder = Path(pair.folder)
    folder.mkdir(exist_ok=True)
    actor = Actor(pair.members[place], pair.keys[place], folder, pair.domain)
    actor.connect(pair.url)
    return actor


def _introduce(pair: Pair, actors: list[Actor]) -> None:
    """Let both know assets, owners and rules."""
    owners = {actor.account: actor.member.lei for actor in actors}
    for actor in actors:
        actor.learn(
            Market(
                assets=ASSETS,
                own_accounts=frozenset({actor.account}),
                owner_of=owners.get,
                rules=pair.hours.rules,
            )
        )


def _deal(pair: Pair, number: int) -> Deal:
    amount = 1_000_000 + number
    return Deal(
        reference=f"P{pair.number}-{pair.fate.name[0]}{number:07d}",
        seller=0,
        buyer=1,
        trade=TapeTrade(
            line=number, isin=ISIN, quantity=1, currency=CurrencyCode("EUR"), amount=amount
        ),
        fate=pair.fate,
        buyer_quantity=1,
        buyer_amount=amount,
    )
