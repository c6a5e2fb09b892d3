"""Twin of Affirmation.sol: consents, reservations, and the ends that are not settlement."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from settle.domain.chain_events import (
    ConsentWithdrawn,
    InstructionAffirmed,
    InstructionCancelled,
    ReservationEnded,
    Reserved,
)
from settle.domain.ids import Address
from settle.domain.instruction import MAX_WINDOW, Instruction
from settle.domain.reasons import Reason
from settle.domain.twin_examine import (
    Plan,
    enter,
    examine_asset,
    examine_standing,
    hold_of,
    lack,
    read,
)
from settle.domain.twin_state import (
    Brought,
    ChainState,
    Draft,
    Step,
    reason,
    refuse,
    refuse_if,
)


def affirm(
    state: ChainState,
    instruction: Instruction,
    brought: Sequence[Brought],
    *,
    caller: Address,
    now: int,
) -> Step:
    """Put consents on chain: one per account, NOTHING where none is brought. Raises: Reverted."""
    plan = enter(state, instruction, now)
    if len(brought) != len(plan.accounts):
        needed, have = len(plan.accounts), len(brought)
        refuse_if(plan.id, [reason("XSIG", 0, instruction.initiator, needed, have)])
    found: list[Reason] = []
    if instruction.settle_by > now + MAX_WINDOW:
        latest = now + MAX_WINDOW
        found.append(reason("XFAR", 0, instruction.initiator, latest, instruction.settle_by))
    consents = plan.consents
    for k, (account, signature) in enumerate(zip(plan.accounts, brought, strict=True)):
        if signature is Brought.NOTHING and (account != caller or consents >> k & 1):
            continue  # a caller whose consent is on chain already only relays that of others
        found += _examine_entry(state, plan, k, account)
        if signature is Brought.BAD:
            found.append(reason("XBAD", k, account))
        consents |= 1 << k
    if consents == plan.consents:
        found.append(reason("XNIL", 0, caller))
    initiator = plan.accounts.index(instruction.initiator)
    if not consents >> initiator & 1:
        found.append(reason("XCON", initiator, instruction.initiator))
    refuse_if(plan.id, found)

    draft = Draft(state)
    _set_consents(draft, instruction, plan, consents)
    return draft.close()


def reserve(
    state: ChainState,
    instruction: Instruction,
    account: Address,
    *,
    committed: bool,
    brought: Brought,
    caller: Address,
    now: int,
) -> Step:
    """Hold all that the account delivers, and record its consent. Raises: Reverted."""
    plan = enter(state, instruction, now)
    if plan.live is None:
        refuse(plan.id, "XCON", instruction.initiator)
    mine = [k for k, leg in enumerate(instruction.legs) if leg.deliverer == account]
    if not mine:
        refuse(plan.id, "XPTY", account)
    index = plan.accounts.index(account)
    found = _examine_entry(state, plan, index, account)
    found += _examine_message(plan, index, account, brought, caller)
    if state.books.account(account).frozen:
        found.append(reason("BLOC", index, account))
    refuse_if(plan.id, found)

    draft = Draft(state)
    if account not in plan.reserved:
        for k in mine:
            _hold_leg(draft, instruction, plan, k)
    elif not committed or (account, True) in plan.live.reserved:
        refuse(plan.id, "XRSV", account)
    if not plan.consents >> index & 1:
        _set_consents(draft, instruction, plan, plan.consents | 1 << index)
    draft.tell(Reserved(id=plan.id, account=account, committed=committed))
    return draft.close()


def release(
    state: ChainState,
    instruction: Instruction,
    account: Address,
    *,
    brought: Brought,
    caller: Address,
    now: int,
) -> Step:
    """End the account's reservation unless it binds; from settle_by on anyone. Raises: Reverted."""
    found, plan = read(state, instruction)
    refuse_if(plan.id, found)
    if account not in plan.reserved:
        refuse(plan.id, "XRSV", account)
    if now < instruction.settle_by:
        if binds(instruction, plan):
            refuse(plan.id, "XBND", account)
        index = plan.accounts.index(account)
        refuse_if(plan.id, _examine_message(plan, index, account, brought, caller))
    draft = Draft(state)
    end_reservations(draft, instruction, plan, (account,), executed=False)
    draft.tell(ReservationEnded(id=plan.id, account=account))
    return draft.close()


def withdraw(
    state: ChainState,
    instruction: Instruction,
    account: Address,
    *,
    brought: Brought,
    caller: Address,
    now: int,
) -> Step:
    """Take the account's consent back, for good, and end its reservation. Raises: Reverted."""
    plan = enter(state, instruction, now)
    if account not in plan.accounts or account == instruction.initiator:
        refuse(plan.id, "XPTY", account)
    if plan.all_consented:
        refuse(plan.id, "XIRR", account)
    if (account, plan.id) in state.books.withdrawn:
        refuse(plan.id, "XWDR", account)
    if not _agrees(account, brought, caller):
        refuse(plan.id, "XBAD", account)

    draft = Draft(state)
    end_reservations(draft, instruction, plan, (account,), executed=False)
    left = plan.consents & ~(1 << plan.accounts.index(account))
    draft.tell(ConsentWithdrawn(id=plan.id, account=account, consents=left))
    return draft.close()


def cancel(
    state: ChainState,
    instruction: Instruction,
    brought: Sequence[Brought],
    *,
    valid_by: int,
    caller: Address,
    now: int,
) -> Step:
    """End the instruction, by its initiator alone or by all its accounts. Raises: Reverted."""
    plan = enter(state, instruction, now)
    initiator, count = instruction.initiator, len(plan.accounts)
    found: list[Reason] = []
    if now >= valid_by:
        found.append(reason("XEXP", 0, caller, valid_by, now))
    by_all = len(brought) == count
    asked: Sequence[Address] = plan.accounts
    if not by_all:
        asked = (initiator,)
        if len(brought) != 1:
            found.append(reason("XSIG", 0, initiator, count, len(brought)))
            asked = ()
        elif plan.all_consented:
            found.append(reason("XIRR", 0, initiator))
            asked = ()
    for account, signature in zip(asked, brought, strict=False):
        if not _agrees(account, signature, caller):
            found.append(reason("XBAD", plan.accounts.index(account), account))
    refuse_if(plan.id, found)

    draft = Draft(state)
    end_reservations(draft, instruction, plan, plan.reserved, executed=False)
    draft.tell(
        InstructionCancelled(
            id=plan.id, initiator=initiator, nonce=instruction.nonce, by_all=by_all
        )
    )
    return draft.close()


def binds(instruction: Instruction, plan: Plan) -> bool:
    """Whether the reservations bind: all have consented, and every leg is held committed."""
    if plan.live is None or not plan.all_consented:
        return False
    return all((leg.deliverer, True) in plan.live.reserved for leg in instruction.legs)


def end_reservations(
    draft: Draft,
    instruction: Instruction,
    plan: Plan,
    accounts: Collection[Address],
    *,
    executed: bool,
) -> None:
    """Make available what these accounts hold under the instruction, leg by leg."""
    for k, leg in enumerate(instruction.legs):
        if leg.deliverer in accounts and leg.deliverer in plan.reserved:
            draft.end(hold_of(draft.state, instruction, plan, k), executed=executed)


def _hold_leg(draft: Draft, instruction: Instruction, plan: Plan, k: int) -> None:
    leg = instruction.legs[k]
    if not draft.state.is_open(leg.asset):
        refuse_if(plan.id, [examine_asset(draft.state, k, leg.asset)])
    available = draft.books.holding(leg.deliverer, leg.asset).available
    if available < leg.quantity:
        refuse_if(plan.id, [lack(draft.state, k, leg, available)])
    draft.place(hold_of(draft.state, instruction, plan, k))


def _set_consents(draft: Draft, instruction: Instruction, plan: Plan, consents: int) -> None:
    draft.tell(
        InstructionAffirmed(
            id=plan.id,
            initiator=instruction.initiator,
            nonce=instruction.nonce,
            consents=consents,
            accounts=len(plan.accounts),
        )
    )


def _examine_entry(state: ChainState, plan: Plan, index: int, account: Address) -> list[Reason]:
    """Ask that who comes in is admitted and has not withdrawn from this id."""
    found = examine_standing(index, account, state.books.account(account).standing)
    if (account, plan.id) in state.books.withdrawn:
        found.append(reason("XWDR", index, account))
    return found


def _examine_message(
    plan: Plan, index: int, account: Address, brought: Brought, caller: Address
) -> list[Reason]:
    """Ask for consent; a signed message serves only until the account ended a reservation."""
    found: list[Reason] = []
    released = frozenset() if plan.live is None else plan.live.released
    if brought is not Brought.NOTHING and account in released:
        found.append(reason("XONC", index, account))
    if not _agrees(account, brought, caller):
        found.append(reason("XBAD", index, account))
    return found


def _agrees(account: Address, brought: Brought, caller: Address) -> bool:
    return account == caller if brought is Brought.NOTHING else brought is Brought.GOOD
