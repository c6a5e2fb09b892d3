"""The Python twin of the deployed Settlement: the same calls, refusals, reasons and events.

Pure: a call takes a state and the time and gives the next state and the events, or raises Reverted
with the contract's own error. tests/parity drives contract and twin together and compares them
after every step. Who may call what is asked by the access manager on chain, and not here.
"""

from __future__ import annotations

from collections.abc import Sequence

from settle.domain.chain_errors import BatchEmpty, BatchTooLarge, Reverted
from settle.domain.chain_events import (
    ChainEvent,
    InstructionNotSettled,
    InstructionRecorded,
    InstructionSettled,
    Posted,
)
from settle.domain.ids import ZERO_ADDRESS
from settle.domain.instruction import MAX_BATCH_LEGS, OPTION_RECORD, Instruction
from settle.domain.ledger import ChainStatus, NonceState
from settle.domain.reasons import Reason
from settle.domain.twin_affirm import (
    affirm,
    cancel,
    end_reservations,
    release,
    reserve,
    withdraw,
)
from settle.domain.twin_examine import Plan, examine, read
from settle.domain.twin_ledger import (
    create_asset,
    freeze_account,
    freeze_asset,
    issue,
    redeem,
    set_module,
    set_standing,
)
from settle.domain.twin_modules import place_hold, post, release_hold
from settle.domain.twin_state import Brought, ChainState, Draft, Step, refuse_if

__all__ = [
    "Brought",
    "ChainState",
    "Step",
    "affirm",
    "cancel",
    "codes_of",
    "create_asset",
    "freeze_account",
    "freeze_asset",
    "issue",
    "place_hold",
    "post",
    "redeem",
    "release",
    "release_hold",
    "reserve",
    "set_module",
    "set_standing",
    "settle",
    "settle_many",
    "status_of",
    "why_not",
    "withdraw",
]


def why_not(
    state: ChainState, instruction: Instruction, brought: Sequence[Brought], *, now: int
) -> tuple[Reason, ...]:
    """List all reasons why `settle` would refuse now: empty if and only if it would not (law L6).

    `brought` has an entry per account, in the order of `accounts_of`, or none at all.
    """
    found, _ = examine(state, instruction, brought, now)
    return tuple(found)


def settle(
    state: ChainState, instruction: Instruction, brought: Sequence[Brought], *, now: int
) -> Step:
    """Settle every leg in one step (law L1). Raises: Reverted with the first of `why_not`."""
    found, plan = examine(state, instruction, brought, now)
    refuse_if(plan.id, found)
    draft = Draft(state)
    _settle(draft, instruction, plan)
    return draft.close()


def settle_many(
    state: ChainState,
    requests: Sequence[tuple[Instruction, Sequence[Brought]]],
    *,
    now: int,
) -> Step:
    """Settle what can be settled, each instruction whole or not at all, in the order given.

    Raises: Reverted for a batch that is empty or too large, and for nothing else.
    """
    if not requests:
        raise Reverted(BatchEmpty())
    legs = sum(max(1, len(instruction.legs)) for instruction, _ in requests)
    if legs > MAX_BATCH_LEGS:
        raise Reverted(BatchTooLarge(legs=legs, max=MAX_BATCH_LEGS))
    draft = Draft(state)
    for instruction, brought in requests:
        found, plan = examine(draft.state, instruction, brought, now)
        if found:
            draft.tell(_not_settled(plan, found[0]))
        else:
            _settle(draft, instruction, plan)
    return draft.close()


def codes_of(events: Sequence[ChainEvent]) -> tuple[str, ...]:
    """Return what `settleMany` returns, from what it said: "" for settled, else the first code."""
    codes: list[str] = []
    for event in events:
        if isinstance(event, InstructionSettled):
            codes.append("")
        elif isinstance(event, InstructionNotSettled):
            codes.append(event.code.decode("ascii"))
    return tuple(codes)


def status_of(state: ChainState, instruction: Instruction, *, now: int) -> ChainStatus:
    """Say where an instruction stands, as far as its nonce and the clock tell.

    Terms that can never settle are open until they lapse, whatever their nonce.
    """
    _, plan = read(state, instruction)
    nonce = plan.nonce
    if nonce is NonceState.SETTLED:
        return ChainStatus.SETTLED
    if nonce is NonceState.CANCELLED:
        return ChainStatus.CANCELLED
    if now >= instruction.settle_by:
        return ChainStatus.LAPSED
    return ChainStatus.OPEN if plan.live is None else ChainStatus.LIVE


def _settle(draft: Draft, instruction: Instruction, plan: Plan) -> None:
    """Apply a plan that found no reason."""
    end_reservations(draft, instruction, plan, plan.reserved, executed=True)
    for leg, (deliverer, receiver) in zip(instruction.legs, plan.after, strict=True):
        draft.tell(
            Posted(
                instruction=plan.id,
                asset=leg.asset,
                deliverer=leg.deliverer,
                receiver=leg.receiver,
                quantity=leg.quantity,
                deliverer_holding=deliverer,
                receiver_holding=receiver,
            )
        )
    draft.tell(
        InstructionSettled(id=plan.id, initiator=instruction.initiator, nonce=instruction.nonce)
    )
    if instruction.options & OPTION_RECORD:
        draft.tell(InstructionRecorded(instruction=plan.id))


def _not_settled(plan: Plan, first: Reason) -> InstructionNotSettled:
    return InstructionNotSettled(
        id=plan.id,
        code=first.code.encode("ascii"),
        leg=first.leg,
        who=first.who or ZERO_ADDRESS,
        needed=first.needed,
        have=first.have,
    )
