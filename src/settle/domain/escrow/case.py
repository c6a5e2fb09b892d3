"""What every act on a milestone of an open escrow asks first."""

from __future__ import annotations

from collections.abc import Sequence

from settle.domain.chain_errors import Reverted
from settle.domain.escrow.clock import deadline_of, moved_in
from settle.domain.escrow.ends import end
from settle.domain.escrow.errors import (
    EscrowUnknown,
    MilestoneHasEnded,
    MilestoneUnknown,
    PaidListInvalid,
    SplitDoesNotSum,
)
from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.escrow.evidence import Facts, Standing
from settle.domain.escrow.state import EscrowRecord, EscrowState, EscrowStep, close
from settle.domain.escrow.terms import EscrowTerms, escrow_id, first_line_of, lines_of
from settle.domain.ids import Address
from settle.domain.instruction import Instruction
from settle.domain.ledger import NonceState
from settle.domain.ledger_errors import DeadlinePassed, SignatureInvalid
from settle.domain.twin_state import Draft


class Case:
    """One milestone of an open escrow as a call finds it. Instants in unix seconds."""

    __slots__ = ("deadline", "id", "milestone", "now", "record", "state", "terms")

    def __init__(self, state: EscrowState, terms: EscrowTerms, milestone: int, *, now: int) -> None:
        """Ask that exactly these terms are open and have the milestone. Raises: Reverted."""
        self.state, self.terms, self.milestone, self.now = state, terms, milestone, now
        self.id = escrow_id(terms, state.chain.domain)
        record = state.records.get(self.id)
        if record is None:
            raise Reverted(EscrowUnknown(id=self.id))
        if milestone >= len(terms.deadlines):
            raise Reverted(MilestoneUnknown(milestone=milestone))
        self.record: EscrowRecord = record
        self.deadline = deadline_of(terms, record, milestone)

    @property
    def disputed_at(self) -> int | None:
        """When the milestone was disputed, or None."""
        return self.record.milestones[self.milestone].disputed_at

    def require_open(self) -> None:
        """Ask that the milestone's outcome is not fixed. Raises: Reverted."""
        if self.record.outcomes[self.milestone] is not Outcome.NONE:
            raise Reverted(MilestoneHasEnded(id=self.id, milestone=self.milestone))

    def require_before(self, deadline: int) -> None:
        """Ask that an instant has not come. Raises: Reverted."""
        if self.now >= deadline:
            raise Reverted(DeadlinePassed(deadline=deadline, now=self.now))

    def require_paid(self, paid: Sequence[int]) -> None:
        """Ask for one amount a line, none above what the line holds. Raises: Reverted."""
        lines = lines_of(self.terms, self.milestone)
        if len(paid) != len(lines):
            raise Reverted(PaidListInvalid(given=len(paid), needed=len(lines)))
        first = first_line_of(self.terms, self.milestone)
        for k, (line, amount) in enumerate(zip(lines, paid, strict=True), start=first):
            if amount > line.quantity:
                raise Reverted(SplitDoesNotSum(line=k, paid=amount, quantity=line.quantity))

    def end(self, by: EndedBy, paid: Sequence[int]) -> Draft:
        """Fix the outcome, and pay what no freeze stops."""
        draft = Draft(self.state.chain)
        end(draft, self.terms, self.id, self.milestone, by, tuple(paid))
        return draft

    def close(self, draft: Draft) -> EscrowStep:
        """End the call."""
        return close(self.state, draft, now=self.now)


def standing_of(case: Case, facts: Facts) -> Standing:
    """Gather what the evaluation of a milestone's condition asks of the chain."""
    books = case.state.chain.books

    def cannot_settle(instruction: Instruction) -> bool:
        """Whether its nonce is spent, or its time is over."""
        nonce = books.nonce_state(instruction.initiator, instruction.nonce)
        spent = nonce in (NonceState.SETTLED, NonceState.CANCELLED)
        return spent or case.now >= instruction.settle_by

    return Standing(
        escrow=case.id,
        milestone=case.milestone,
        opened_at=case.record.opened_at,
        moved=lambda at: moved_in(case.terms, case.record, case.milestone, at),
        outcomes=case.record.outcomes,
        domain=case.state.chain.domain,
        facts=facts,
        is_recorded=case.state.recorded.__contains__,
        cannot_settle=cannot_settle,
    )


def require_signed(
    account: Address, digest: bytes, signature: bytes, caller: Address, facts: Facts
) -> None:
    """Ask that the account signed, or calls itself. Raises: Reverted."""
    own = not signature and account == caller
    if not own and not facts.binds(account, digest, signature):
        raise Reverted(SignatureInvalid(account=account))
