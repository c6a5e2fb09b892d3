"""Calls by name, for scenarios that go step by step: each is made on contract and twin."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from settle.domain import chainstate as twin
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import (
    Instruction,
    Leg,
    Redemption,
    accounts_of,
    cancellation_digest,
    redemption_digest,
    release_digest,
    reservation_digest,
    withdrawal_digest,
)
from settle.domain.ledger import Hold, Move
from settle.domain.twin_state import Brought
from tests.parity.evm import DEPLOYER
from tests.parity.lockstep import Lockstep

GOOD, BAD, NOTHING = Brought.GOOD, Brought.BAD, Brought.NOTHING
FAR = 10_000


class Scenario:
    """A short way of saying: this account, with these signatures, at this time."""

    def __init__(self, both: Lockstep) -> None:
        self.both = both
        self._random = Random(0)
        self._nonces: dict[Address, int] = {}

    def dvp(self, seller: Address, buyer: Address, **changes: object) -> Instruction:
        """Return 5 of asset 1 against 7 of asset 2, from now on, for a while."""
        nonce = self._nonces.get(seller, 0)
        self._nonces[seller] = nonce + 1
        fields: dict[str, object] = {
            "initiator": seller,
            "nonce": nonce,
            "settle_from": self.both.now,
            "settle_by": self.both.now + FAR,
            "legs": (leg(1, seller, buyer, 5), leg(2, buyer, seller, 7)),
        }
        drawn = Instruction(**{**fields, **changes})  # type: ignore[arg-type]
        self.both.instructions.append(drawn)
        return drawn

    def wait_until(self, instant: int) -> None:
        self.both.world.evm.now = instant

    # ------------------------------------------------------------------ calls

    def settle(self, instruction: Instruction, given: Sequence[Brought] | None = None) -> str:
        """Settle; all signatures are good unless said otherwise."""
        both = self.both
        brought = self._consents(instruction, given)
        clear = both.compare_why_not((instruction, brought))
        said = both.act(
            "settle",
            (instruction, [signature for signature, _ in brought]),
            both.world.stranger,
            lambda: twin.settle(
                both.state, instruction, [kind for _, kind in brought], now=both.now
            ),
        )
        assert clear == (said is not None), "law L6"
        return self._compared()

    def settle_many(self, *instructions: Instruction) -> str:
        both = self.both
        requests = [(each, self._consents(each, None)) for each in instructions]
        signed = [(each, [s for s, _ in brought]) for each, brought in requests]
        kinds = [(each, [kind for _, kind in brought]) for each, brought in requests]
        both.act(
            "settleMany",
            (signed,),
            both.world.stranger,
            lambda: twin.settle_many(both.state, kinds, now=both.now),
        )
        return self._compared()

    def affirm(
        self,
        instruction: Instruction,
        given: Sequence[Brought] | None = None,
        caller: Address | None = None,
    ) -> str:
        both, sender = self.both, caller or self.both.world.stranger
        brought = self._consents(instruction, given)
        both.act(
            "affirm",
            (instruction, [signature for signature, _ in brought]),
            sender,
            lambda: twin.affirm(
                both.state,
                instruction,
                [kind for _, kind in brought],
                caller=sender,
                now=both.now,
            ),
        )
        return self._compared()

    def reserve(
        self,
        instruction: Instruction,
        account: Address,
        *,
        committed: bool,
        given: Brought = GOOD,
    ) -> str:
        """Reserve by signature, or by the account's own call if nothing is given."""
        both = self.both
        caller = account if given is NOTHING else both.world.stranger
        digest = reservation_digest(
            account, both.state.id_of(instruction), both.world.domain, committed=committed
        )
        signature, kind = both.world.bring(account, digest, self._random, given)
        both.act(
            "reserve",
            (instruction, account, committed, signature),
            caller,
            lambda: twin.reserve(
                both.state,
                instruction,
                account,
                committed=committed,
                brought=kind,
                caller=caller,
                now=both.now,
            ),
        )
        return self._compared()

    def release(
        self,
        instruction: Instruction,
        account: Address,
        given: Brought = GOOD,
        caller: Address | None = None,
    ) -> str:
        both = self.both
        sender = caller or (account if given is NOTHING else both.world.stranger)
        digest = release_digest(account, both.state.id_of(instruction), both.world.domain)
        signature, kind = both.world.bring(account, digest, self._random, given)
        both.act(
            "release",
            (instruction, account, signature),
            sender,
            lambda: twin.release(
                both.state, instruction, account, brought=kind, caller=sender, now=both.now
            ),
        )
        return self._compared()

    def withdraw(self, instruction: Instruction, account: Address, given: Brought = GOOD) -> str:
        both = self.both
        caller = account if given is NOTHING else both.world.stranger
        digest = withdrawal_digest(account, both.state.id_of(instruction), both.world.domain)
        signature, kind = both.world.bring(account, digest, self._random, given)
        both.act(
            "withdraw",
            (instruction, account, signature),
            caller,
            lambda: twin.withdraw(
                both.state, instruction, account, brought=kind, caller=caller, now=both.now
            ),
        )
        return self._compared()

    def cancel(
        self,
        instruction: Instruction,
        accounts: Sequence[Address],
        *,
        valid_for: int = 1,
        given: Brought = GOOD,
    ) -> str:
        """Cancel with the signatures of these accounts."""
        both = self.both
        valid_by = both.now + valid_for
        name, domain = both.state.id_of(instruction), both.world.domain
        brought = [
            both.world.bring(
                account,
                cancellation_digest(account, name, domain, valid_by=valid_by),
                self._random,
                given,
            )
            for account in accounts
        ]
        both.act(
            "cancel",
            (instruction, valid_by, [signature for signature, _ in brought]),
            both.world.stranger,
            lambda: twin.cancel(
                both.state,
                instruction,
                [kind for _, kind in brought],
                valid_by=valid_by,
                caller=both.world.stranger,
                now=both.now,
            ),
        )
        return self._compared()

    def redeem(self, order: Redemption, given: Brought = GOOD) -> str:
        both = self.both
        digest = redemption_digest(order, both.world.domain)
        signature, kind = both.world.bring(order.account, digest, self._random, given)
        both.act(
            "redeem",
            (*(getattr(order, name) for name in order.__slots__), signature),
            DEPLOYER,
            lambda: twin.redeem(both.state, order, brought=kind, now=both.now),
        )
        return self._compared()

    def freeze_account(self, account: Address, *, frozen: bool = True) -> str:
        both = self.both
        both.act(
            "freezeAccount",
            (account, frozen, b"TEST"),
            DEPLOYER,
            lambda: twin.freeze_account(both.state, account, frozen=frozen, why=b"TEST"),
        )
        return self._compared()

    def freeze_asset(self, asset: int, *, frozen: bool = True) -> str:
        both, number = self.both, AssetId(asset)
        both.act(
            "freezeAsset",
            (number, frozen, b"TEST"),
            DEPLOYER,
            lambda: twin.freeze_asset(both.state, number, frozen=frozen, why=b"TEST"),
        )
        return self._compared()

    def place_hold(self, hold: Hold, caller: Address) -> str:
        both = self.both
        both.holds.append(hold)
        both.act(
            "placeHold",
            (hold,),
            caller,
            lambda: twin.place_hold(both.state, hold, caller=caller, now=both.now),
        )
        return self._compared()

    def release_hold(self, hold: Hold, caller: Address) -> str:
        both = self.both
        both.act(
            "releaseHold",
            (hold,),
            caller,
            lambda: twin.release_hold(both.state, hold, caller=caller, now=both.now),
        )
        return self._compared()

    def post(self, executed: Sequence[Hold], moves: Sequence[Move], caller: Address) -> str:
        both, purpose = self.both, b"posting".ljust(32)
        both.act(
            "post",
            (purpose, executed, moves),
            caller,
            lambda: twin.post(both.state, purpose, executed, moves, caller=caller, now=both.now),
        )
        return self._compared()

    # ------------------------------------------------------------------ what they share

    def _consents(
        self, instruction: Instruction, given: Sequence[Brought] | None
    ) -> list[tuple[bytes, Brought]]:
        accounts = accounts_of(instruction)
        kinds = (GOOD,) * len(accounts) if given is None else given
        digest = self.both.state.id_of(instruction)
        found = [
            self.both.world.bring(account, digest, self._random, kind)
            for account, kind in zip(accounts, kinds, strict=False)
        ]
        return found + [(b"too many", BAD)] * (len(kinds) - len(found))

    def _compared(self) -> str:
        """Compare all that is kept; say how the call ended: "" done, else why not."""
        self.both.compare_books()
        return self.both.last


def leg(asset: int, deliverer: Address, receiver: Address, quantity: int) -> Leg:
    """Return a leg."""
    return Leg(asset=AssetId(asset), deliverer=deliverer, receiver=receiver, quantity=quantity)
