"""Participants in processes of their own: they submit, sign, and keep a bounded number open."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from settle.demo.bank import Bank
from settle.demo.plan import Deal, Fate, Member
from settle.demo.sides import sides_of
from settle.demo.tape import TapeTrade
from settle.domain.ids import AssetId, CurrencyCode, Isin

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
    banks = _banks(pair)
    ends_at = time.monotonic() + seconds
    done = 0
    while time.monotonic() < ends_at and done < most:
        deals = [_deal(pair, done + k) for k in range(min(BATCH, most - done))]
        for place, bank in enumerate(banks):
            bank.desk.submit(sides_of(deals, place, banks, pair.hours))
        for bank in banks:
            bank.desk.sign_pending()
        done += len(deals)
        with submitted.get_lock():
            submitted.value += len(deals)
        while submitted.value - settled.value > ahead and time.monotonic() < ends_at:
            time.sleep(0.02)


def _banks(pair: Pair) -> list[Bank]:
    # The journals stay with the participants from one run to the next: they count the nonces.
    folder = Path(pair.folder)
    folder.mkdir(exist_ok=True)
    both = zip(pair.members, pair.keys, strict=True)
    banks = [Bank(member, key, folder, pair.domain) for member, key in both]
    for bank in banks:
        bank.join(pair.url, ASSETS, banks, pair.hours.rules)
    return banks


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
