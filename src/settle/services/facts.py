"""Facts that a trade can wait for, as words, and which events of the chain change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.domain.chain_events import (
    AccountFrozen,
    AssetCreated,
    AssetFrozen,
    HoldEnded,
    HoldPlaced,
    InstructionAffirmed,
    InstructionCancelled,
    InstructionSettled,
    Issued,
    Moved,
    Posted,
    Redeemed,
    StandingSet,
)
from settle.domain.reasons import kind_of
from settle.services.trade_rows import Wait

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from settle.domain.chain_events import ChainEvent
    from settle.domain.ids import Address, AssetId, TradeId
    from settle.domain.instruction import Instruction
    from settle.domain.reasons import Reason

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


def changed_by(event: ChainEvent) -> Iterator[str]:
    """Which facts an event changes. Of holdings whatever moved: the store asks whether it grew."""
    match event:
        case Issued() | Redeemed() | Moved() | HoldPlaced() | HoldEnded():
            yield holding_fact(event.account, event.asset)
        case Posted():
            yield holding_fact(event.deliverer, event.asset)
            yield holding_fact(event.receiver, event.asset)
        case StandingSet() | AccountFrozen():
            yield account_fact(event.account)
        case AssetCreated() | AssetFrozen():
            yield asset_fact(event.asset)
        case InstructionSettled() | InstructionCancelled() | InstructionAffirmed():
            yield nonce_fact(event.initiator, event.nonce)
        case _:
            return


def delivered(instruction: Instruction) -> set[str]:
    """The holdings that settling an instruction would draw on."""
    return {holding_fact(leg.deliverer, leg.asset) for leg in instruction.legs}


def required(instruction: Instruction) -> dict[tuple[Address, AssetId], int]:
    """What must be available before the first leg, for all legs to be covered in their order."""
    moved: dict[tuple[Address, AssetId], int] = {}
    needed: dict[tuple[Address, AssetId], int] = {}
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


def facts_of_all(events: Iterable[ChainEvent]) -> set[str]:
    """All facts that events change."""
    return {fact for event in events for fact in changed_by(event)}
