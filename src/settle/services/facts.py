"""Facts that a trade can wait for, as words, and which events of the chain change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.domain.books import holdings_after
from settle.domain.chain_events import (
    AccountFrozen,
    AssetCreated,
    AssetFrozen,
    InstructionAffirmed,
    InstructionCancelled,
    InstructionSettled,
    StandingSet,
)
from settle.domain.reasons import kind_of
from settle.services.trade_rows import Wait

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from settle.domain.chain_events import ChainEvent
    from settle.domain.ids import Address, AssetId, TradeId
    from settle.domain.instruction import Instruction
    from settle.domain.reasons import Reason

Key = tuple["Address", "AssetId"]
LOOK_AGAIN_S: Final = 300
"""For what no event announces: a wallet that changes its mind, a call that was wrong."""
_CLOCK_DRIFT_S: Final = 1


def holding_fact(account: Address, asset: AssetId) -> str:
    """What an account has available of an asset."""
    return f"holding:{account.hex()}:{asset}"


def account_fact(account: Address) -> str:
    """Admission, suspension and freeze of an account."""
    return f"account:{account.hex()}"


def asset_fact(asset: AssetId) -> str:
    """Existence and freeze of an asset."""
    return f"asset:{asset}"


def nonce_fact(initiator: Address, nonce: int) -> str:
    """State of an initiator's nonce."""
    return f"nonce:{initiator.hex()}:{nonce}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What changed. Of a holding the store asks whether enough is there now."""

    holdings: frozenset[Key] = frozenset()
    facts: frozenset[str] = frozenset()


def changed_by(events: Iterable[ChainEvent]) -> Changed:
    """What events of the chain change."""
    holdings: set[Key] = set()
    facts: set[str] = set()
    for event in events:
        holdings.update((account, asset) for account, asset, _ in holdings_after(event))
        match event:
            case StandingSet() | AccountFrozen():
                facts.add(account_fact(event.account))
            case AssetCreated() | AssetFrozen():
                facts.add(asset_fact(event.asset))
            case InstructionSettled() | InstructionCancelled() | InstructionAffirmed():
                facts.add(nonce_fact(event.initiator, event.nonce))
            case _:
                pass
    return Changed(holdings=frozenset(holdings), facts=frozenset(facts))


def delivered(instruction: Instruction) -> set[Key]:
    """The holdings that settling an instruction would draw on."""
    return {(leg.deliverer, leg.asset) for leg in instruction.legs}


def required(instruction: Instruction) -> dict[Key, int]:
    """What must be available before the first leg, for all legs to be covered in their order."""
    moved: dict[Key, int] = {}
    needed: dict[Key, int] = {}
    for leg in instruction.legs:
        out, into = (leg.deliverer, leg.asset), (leg.receiver, leg.asset)
        moved[out] = moved.get(out, 0) - leg.quantity
        needed[out] = max(needed.get(out, 0), -moved[out])
        moved[into] = moved.get(into, 0) + leg.quantity
    return needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """What a trade waits for: facts, and an instant at which it is looked at in any case."""

    waits: tuple[Wait, ...]
    wake_at: int | None


def sleep_until(
    trade_id: TradeId, instruction: Instruction, reasons: Sequence[Reason], at: int
) -> Sleep:
    """What has to change for each of the reasons to go away. With none of them: look again soon."""
    needs = required(instruction)
    waits: dict[str, Wait] = {}
    wake: list[int] = []
    for reason in reasons:
        kind = kind_of(reason.code).clears_by
        who = reason.who
        if kind == "holdings" and who is not None:
            asset = instruction.legs[reason.leg].asset
            fact = holding_fact(who, asset)
            waits[fact] = Wait(
                fact=fact,
                trade_id=trade_id,
                account=who,
                asset=asset,
                needed=needs[who, asset],
            )
        elif kind == "standing" and who is not None:
            waits[account_fact(who)] = Wait(fact=account_fact(who), trade_id=trade_id)
        elif kind == "asset":
            fact = asset_fact(instruction.legs[reason.leg].asset)
            waits[fact] = Wait(fact=fact, trade_id=trade_id)
        elif kind == "time":
            wake.append(max(reason.needed, at + _CLOCK_DRIFT_S))
        else:
            # What nobody can clear is cleared all the same if a reorganisation takes it back.
            fact = nonce_fact(instruction.initiator, instruction.nonce)
            waits[fact] = Wait(fact=fact, trade_id=trade_id)
            if kind != "nobody":
                wake.append(at + LOOK_AGAIN_S)
    if not reasons:
        wake.append(at + _CLOCK_DRIFT_S)
    return Sleep(waits=tuple(waits.values()), wake_at=min(wake, default=None))
