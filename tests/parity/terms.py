"""Random instructions: sensible ones, ones at an edge, and ones that nobody should sign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from settle.domain.ids import ZERO_ADDRESS, ZERO_WORD, Address, AssetId
from settle.domain.instruction import MAX_WINDOW, Instruction, Leg
from settle.domain.ledger import Holding
from settle.domain.money import UINT128_MAX

NONCES: Final = (*range(12), 127, 128, 2**64 - 1)
ASSETS: Final = tuple(AssetId(n) for n in range(9))
SECURITIES: Final = (AssetId(1), AssetId(5), AssetId(6))
CASH: Final = (AssetId(2), AssetId(3), AssetId(4))


class Terms:
    """Draws instructions between accounts, with amounts near to what they hold."""

    def __init__(
        self,
        random: Random,
        owners: Sequence[Address],
        stranger: Address,
        holding: Callable[[Address, AssetId], Holding],
    ) -> None:
        self._random = random
        self._owners = list(owners)
        self._stranger = stranger
        self._holding = holding

    def draw(self, now: int, before: Sequence[Instruction]) -> Instruction:
        """Return an instruction; sometimes one that shares its nonce with an earlier one."""
        random = self._random
        if before and random.random() < 0.15:
            return self._changed(random.choice(before), now)
        legs = self._legs()
        parties = [a for leg in legs for a in (leg.deliverer, leg.receiver)] or self._owners
        initiator = random.choice(parties)
        if random.random() < 0.02:
            initiator = random.choice((*self._owners, self._stranger, ZERO_ADDRESS))
        settle_from, settle_by = self._window(now)
        drawn = Instruction(
            initiator=initiator,
            nonce=random.choice(NONCES),
            settle_from=settle_from,
            settle_by=settle_by,
            trade_ref=random.randbytes(32),
            legs=legs,
        )
        return self._odd(drawn) if random.random() < 0.1 else drawn

    def _changed(self, earlier: Instruction, now: int) -> Instruction:
        """Return other terms under the same nonce."""
        settle_from, settle_by = self._window(now)
        window = replace(earlier, settle_from=settle_from, settle_by=settle_by)
        return self._random.choice(
            (
                window,
                replace(window, trade_ref=self._random.randbytes(32)),
                replace(window, legs=tuple(reversed(earlier.legs))),
            )
        )

    def _odd(self, drawn: Instruction) -> Instruction:
        random = self._random
        quantity = drawn.legs[0].quantity if drawn.legs else 0
        return random.choice(
            (
                replace(drawn, options=random.choice((1, 2, 3, 4, 2**32 - 1))),
                replace(drawn, minimum_lot=random.choice((1, quantity, UINT128_MAX))),
                replace(drawn, options=1, minimum_lot=max(0, quantity + random.choice((-1, 0, 1)))),
                replace(drawn, cycle=random.randbytes(32)),
                replace(drawn, predecessor=bytes(31) + b"\x01"),
                replace(drawn, terms=random.randbytes(32), cycle=ZERO_WORD),
                replace(drawn, settle_by=drawn.settle_from - random.choice((0, 1))),
                replace(drawn, options=4, cycle=random.randbytes(32), minimum_lot=7),
            )
        )

    def _window(self, now: int) -> tuple[int, int]:
        random = self._random
        settle_from = now + random.choice((-100, -1, 0, 0, 0, 1, 2, 30))
        length = random.choice((1, 40, 200, 200, 5_000, 5_000, 5_000, MAX_WINDOW))
        if random.random() < 0.05:
            return settle_from, now + MAX_WINDOW + random.choice((-1, 0, 1, 1))
        return settle_from, settle_from + length

    def _legs(self) -> tuple[Leg, ...]:
        random = self._random
        draw = random.random()
        if draw < 0.45:
            return self._delivery_versus_payment()
        if draw < 0.65:
            return self._ring()
        count = random.choice((1, 1, 2, 3, 4, 5, 6, 7, 8, 8))
        if draw > 0.97:
            count = random.choice((0, 9, 12))
        return tuple(self._leg(*self._pair(), random.choice(self._assets())) for _ in range(count))

    def _delivery_versus_payment(self) -> tuple[Leg, ...]:
        seller, buyer = self._random.sample(self._owners, 2)
        return (
            self._leg(seller, buyer, self._random.choice(SECURITIES)),
            self._leg(buyer, seller, self._random.choice(CASH)),
        )

    def _ring(self) -> tuple[Leg, ...]:
        """Return one asset handed round: a later leg may live on what an earlier one brought."""
        random = self._random
        around = random.sample(self._owners, random.randint(2, min(8, len(self._owners))))
        asset = random.choice(self._assets())
        first = self._leg(around[0], around[1], asset)
        return (
            first,
            *(
                replace(first, deliverer=giver, receiver=around[(k + 2) % len(around)])
                for k, giver in enumerate(around[1:])
            ),
        )

    def _pair(self) -> tuple[Address, Address]:
        random = self._random
        if random.random() < 0.03:
            return random.choice(self._owners), random.choice((self._stranger, ZERO_ADDRESS))
        if random.random() < 0.02:
            account = random.choice(self._owners)
            return account, account
        few = self._owners[: random.choice((2, 3, len(self._owners)))]
        first, second = random.sample(few, 2)
        return first, second

    def _assets(self) -> Sequence[AssetId]:
        return ASSETS if self._random.random() < 0.1 else ASSETS[1:7]

    def _leg(self, deliverer: Address, receiver: Address, asset: AssetId) -> Leg:
        random = self._random
        have = self._holding(deliverer, asset).available
        quantity = random.randint(1, 30)
        if random.random() < 0.25:
            quantity = random.choice((random.randint(1, 200), have, have, have // 2, have + 1))
        if random.random() < 0.02:
            quantity = random.choice((0, UINT128_MAX))
        elif quantity == 0:
            quantity = 1
        return Leg(
            asset=asset,
            deliverer=deliverer,
            receiver=receiver,
            quantity=min(quantity, UINT128_MAX),
        )
