"""Twin of Examination.sol and InstructionTerms.sol: every gate, in the order of precedence.

One examination serves `why_not`, `settle` and `settle_many`: it collects the reasons and works out
the holdings after each leg, so that applying them cannot fail (law L6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from settle.domain.books_state import LiveInstruction
from settle.domain.ids import ZERO_WORD, Address, AssetId, InstructionId
from settle.domain.instruction import (
    MAX_LEGS,
    OPTION_PARTIAL,
    OPTIONS_KNOWN,
    Instruction,
    Leg,
    accounts_of,
)
from settle.domain.ledger import Hold, Holding, NonceState, Standing
from settle.domain.reasons import Reason
from settle.domain.twin_state import Brought, ChainState, reason, refuse_if

NO_ID: Final = InstructionId(ZERO_WORD)
_NONCE_CODES: Final = {
    NonceState.SETTLED: "XDON",
    NonceState.CANCELLED: "XCAN",
    NonceState.LIVE: "XOCC",
}


@dataclass(slots=True, kw_only=True)
class Plan:
    """What an examination finds out on the way.

    `live` is set if this id is the live one of its nonce. `after` has the holding of the deliverer
    and of the receiver after each leg. An instruction with no legs or too many has no id.
    """

    id: InstructionId
    accounts: tuple[Address, ...] = ()
    nonce: NonceState = NonceState.OPEN
    live: LiveInstruction | None = None
    after: list[tuple[Holding, Holding]] = field(default_factory=list)

    @property
    def consents(self) -> int:
        """A bit for each account whose consent is on chain."""
        return 0 if self.live is None else self.live.consents

    @property
    def all_consented(self) -> bool:
        """The moment of irrevocability: every account's consent is on chain."""
        return self.consents == (1 << len(self.accounts)) - 1

    @property
    def reserved(self) -> frozenset[Address]:
        """The accounts whose deliveries are held."""
        return frozenset() if self.live is None else frozenset(a for a, _ in self.live.reserved)


def check_terms(instruction: Instruction) -> list[Reason]:
    """List everything in the terms that no state of the chain could make settle."""
    initiator, legs = instruction.initiator, instruction.legs
    if not 0 < len(legs) <= MAX_LEGS:
        return [reason("XLEG", 0, initiator, MAX_LEGS, len(legs))]
    found: list[Reason] = []
    for k, leg in enumerate(legs):
        if leg.quantity == 0:
            found.append(reason("XQTY", k, leg.deliverer, 1, 0))
        if leg.deliverer == leg.receiver:
            found.append(reason("XSLF", k, leg.deliverer))
    if initiator not in accounts_of(instruction):
        found.append(reason("XINI", 0, initiator))
    if instruction.settle_from >= instruction.settle_by:
        found.append(reason("XWIN", 0, initiator, instruction.settle_from, instruction.settle_by))
    if instruction.options & ~OPTIONS_KNOWN:
        found.append(reason("XOPT", 0, initiator, OPTIONS_KNOWN, instruction.options))
    if instruction.cycle != ZERO_WORD:
        found.append(reason("XCYC", 0, initiator, 0, int.from_bytes(instruction.cycle, "big")))
    if instruction.predecessor != ZERO_WORD:
        predecessor = int.from_bytes(instruction.predecessor, "big")
        found.append(reason("XPRE", 0, initiator, 0, predecessor))
    largest = legs[0].quantity if instruction.options & OPTION_PARTIAL else 0
    if instruction.minimum_lot > largest:
        found.append(reason("XLOT", 0, initiator, largest, instruction.minimum_lot))
    return found


def read(state: ChainState, instruction: Instruction) -> tuple[list[Reason], Plan]:
    """Read what is on chain about the instruction, once."""
    found = check_terms(instruction)
    bounded = 0 < len(instruction.legs) <= MAX_LEGS
    plan = Plan(id=state.id_of(instruction) if bounded else NO_ID)
    if not found:
        plan.accounts = accounts_of(instruction)
        plan.nonce = state.books.nonce_state(instruction.initiator, instruction.nonce)
        if plan.nonce is NonceState.LIVE:
            plan.live = state.books.live.get(plan.id)
    return found, plan


def enter(state: ChainState, instruction: Instruction, now: int) -> Plan:
    """Ask what every act on an instruction asks first. Raises: Reverted."""
    found, plan = read(state, instruction)
    refuse_if(plan.id, found)
    refuse_if(plan.id, _examine_nonce(instruction, plan))
    refuse_if(plan.id, _examine_lapse(instruction, now))
    return plan


def examine(
    state: ChainState, instruction: Instruction, brought: Sequence[Brought], now: int
) -> tuple[list[Reason], Plan]:
    """Walk every gate of `settle` and list what is in the way."""
    found, plan = read(state, instruction)
    if found:
        return found, plan
    found += _examine_nonce(instruction, plan)
    if now < instruction.settle_from:
        found.append(reason("FUTU", 0, instruction.initiator, instruction.settle_from, now))
    found += _examine_lapse(instruction, now)
    found += _examine_accounts(state, instruction, plan, brought)
    found += _examine_legs(state, instruction, plan)
    return found, plan


def _examine_nonce(instruction: Instruction, plan: Plan) -> list[Reason]:
    if plan.nonce is NonceState.OPEN or plan.live is not None:
        return []
    code = _NONCE_CODES[plan.nonce]
    return [reason(code, 0, instruction.initiator, 0, instruction.nonce)]


def _examine_lapse(instruction: Instruction, now: int) -> list[Reason]:
    if now < instruction.settle_by:
        return []
    return [reason("ADEA", 0, instruction.initiator, instruction.settle_by, now)]


def _examine_accounts(
    state: ChainState, instruction: Instruction, plan: Plan, brought: Sequence[Brought]
) -> list[Reason]:
    count = len(plan.accounts)
    found: list[Reason] = []
    if brought and len(brought) != count:
        found.append(reason("XSIG", 0, instruction.initiator, count, len(brought)))
    signatures = brought if len(brought) == count else (Brought.NOTHING,) * count
    deliverers = {leg.deliverer for leg in instruction.legs}
    for k, (account, signature) in enumerate(zip(plan.accounts, signatures, strict=True)):
        word = state.books.account(account)
        found += examine_standing(k, account, word.standing)
        if signature is Brought.BAD:
            found.append(reason("XBAD", k, account))
        elif signature is Brought.NOTHING and not plan.consents >> k & 1:
            found.append(reason("XCON", k, account))
        if (account, plan.id) in state.books.withdrawn:
            found.append(reason("XWDR", k, account))
        if word.frozen and account in deliverers:
            found.append(reason("BLOC", k, account))
    return found


def _examine_legs(state: ChainState, instruction: Instruction, plan: Plan) -> list[Reason]:
    """Work out the holdings after each leg; one that is not covered is left out of the rest."""
    found: list[Reason] = []
    current = _holdings_before(state, instruction, plan)
    for k, leg in enumerate(instruction.legs):
        if not state.is_open(leg.asset):
            found.append(examine_asset(state, k, leg.asset))
        give, take = (leg.deliverer, leg.asset), (leg.receiver, leg.asset)
        have = current[give].available
        if have < leg.quantity:
            found.append(lack(state, k, leg, have))
        else:
            current[give] = _with(current[give], -leg.quantity)
            current[take] = _with(current[take], leg.quantity)
        plan.after.append((current[give], current[take]))
    return found


def _holdings_before(
    state: ChainState, instruction: Instruction, plan: Plan
) -> dict[tuple[Address, AssetId], Holding]:
    """Return what the books hold, with all that this instruction reserved made available."""
    current: dict[tuple[Address, AssetId], Holding] = {}
    for leg in instruction.legs:
        for account in (leg.deliverer, leg.receiver):
            current[account, leg.asset] = state.books.holding(account, leg.asset)
    for leg in instruction.legs:
        if leg.deliverer in plan.reserved:
            held = current[leg.deliverer, leg.asset]
            current[leg.deliverer, leg.asset] = Holding(
                available=held.available + leg.quantity, held=held.held - leg.quantity
            )
    return current


def _with(holding: Holding, delta: int) -> Holding:
    return Holding(available=holding.available + delta, held=holding.held)


def examine_standing(index: int, account: Address, standing: Standing) -> list[Reason]:
    """Ask whether the account may enter into settlement."""
    if standing is Standing.ADMITTED:
        return []
    code = "XADM" if standing is Standing.UNKNOWN else "XSUS"
    return [reason(code, index, account)]


def examine_asset(state: ChainState, leg: int, asset: AssetId) -> Reason:
    """Say why an asset that is not open is not: it does not exist, or it is frozen."""
    found = state.books.assets.get(asset)
    if found is None:
        return Reason(code="XAST", leg=leg, needed=asset)
    return reason("SBLO", leg, found.issuer, asset)


def lack(state: ChainState, k: int, leg: Leg, have: int) -> Reason:
    """Say that a leg is not covered, in the word for money or in that for everything else."""
    asset = state.books.assets.get(leg.asset)
    code = "MONY" if asset is not None and asset.class_.is_cash else "LACK"
    return reason(code, k, leg.deliverer, leg.quantity, have)


def hold_of(state: ChainState, instruction: Instruction, plan: Plan, k: int) -> Hold:
    """Return the hold that reserves leg k."""
    leg = instruction.legs[k]
    return Hold(
        module=state.ledger,
        purpose=plan.id,
        index=k,
        account=leg.deliverer,
        asset=leg.asset,
        quantity=leg.quantity,
        deadline=instruction.settle_by,
    )
