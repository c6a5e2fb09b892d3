"""What every act on an escrow is explained with: its terms, its clock, what it has to say."""

from __future__ import annotations

from collections.abc import Sequence

from settle.audit.abi import Value
from settle.audit.books import EscrowEntry
from settle.audit.calls import Call
from settle.audit.escrow_clock import EscrowClock
from settle.audit.escrow_conditions import BadProgram, Condition, conditions
from settle.audit.escrow_digests import EscrowDigests
from settle.audit.escrow_terms import EscrowTerms, escrow_terms
from settle.audit.findings import Code
from settle.audit.fold_escrows import REFUNDED, RELEASED, SPLIT
from settle.audit.stage import Stage


class Act:
    """One act: the terms, the escrow as it stands before, and its clock."""

    def __init__(
        self,
        terms: EscrowTerms,
        identity: bytes,
        escrow: EscrowEntry,
        milestone: int,
        found: list[Condition],
    ) -> None:
        self.terms = terms
        self.identity = identity
        self.escrow = escrow
        self.milestone = milestone
        self.condition = found[milestone]
        self.clock = EscrowClock(terms, found, escrow.disputes)
        self.lines = terms.of(milestone)
        self.deadline = self.clock.moved(milestone, terms.deadlines[milestone])
        self.waiting_since = 0


class EscrowActs:
    """Reads acts, and expects what follows from them."""

    def __init__(self, stage: Stage) -> None:
        """Work on `stage`."""
        self.stage = stage
        self.digests = EscrowDigests(stage.digests)

    def act(self, call: Call, arguments: dict[str, Value]) -> Act | None:
        """Read the terms and find their escrow. None, and a finding, where there is none."""
        terms, milestone = escrow_terms(arguments["terms"]), arguments["milestone"]
        identity = self.digests.terms(terms)
        escrow = self.stage.books.escrows.get(identity)
        if escrow is None or not escrow.opened_at or milestone >= len(terms.deadlines):
            self.tell(call, Code.TERMS, f"milestone {milestone} of no open escrow", identity)
            return None
        try:
            found = conditions(terms)
        except BadProgram as error:
            self.tell(call, Code.TERMS, f"the conditions: {error}", identity)
            return None
        return Act(terms, identity, escrow, milestone, found)

    def stopped(self, depositor: bytes, asset: int) -> bool:
        """Whether a freeze keeps a payment from being made."""
        books = self.stage.books
        return books.account(depositor).frozen or not books.is_open(asset)

    def returned(self, call: Call, act: Act, k: int, quantity: int) -> None:
        """Expect what is not paid to go back."""
        line = act.terms.lines[k]
        self.take(
            *(call, "LineReturned", act.identity),
            line=k,
            depositor=line.depositor,
            asset=line.asset,
            quantity=quantity,
        )

    def paid(self, call: Call, act: Act, k: int, quantity: int) -> None:
        """Expect a payment."""
        line = act.terms.lines[k]
        self.take(
            *(call, "LinePaid", act.identity),
            line=k,
            asset=line.asset,
            depositor=line.depositor,
            beneficiary=line.beneficiary,
            quantity=quantity,
        )

    def take(self, call: Call, name: str, identity: bytes, **expected: Value) -> None:
        """Expect an event of this escrow."""
        self.stage.take(call, self.stage.deployment.settlement, name, id=identity, **expected)

    def tell(
        self, call: Call, code: Code, fact: str, identity: bytes, account: bytes | None = None
    ) -> None:
        """Tell a finding about this escrow."""
        self.stage.findings.tell(call.place, code, fact, instruction=identity, account=account)

    def end(
        self,
        call: Call,
        act: Act,
        by: int,
        paid: Sequence[int],
        spoken: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """Expect the outcome, what the arbiters said, and what moves now."""
        if act.escrow.outcome(act.milestone):
            self.tell(call, Code.IMPOSSIBLE, "a milestone that has ended ends", act.identity)
        quantities = [line.quantity for _, line in act.lines]
        if len(paid) != len(quantities) or any(
            amount > quantity for amount, quantity in zip(paid, quantities, strict=False)
        ):
            self.tell(call, Code.TERMS, "paid is not what is held", act.identity)
            return
        full, none = list(paid) == quantities, not any(paid)
        waits = any(
            amount and self.stopped(line.depositor, line.asset)
            for amount, (_, line) in zip(paid, act.lines, strict=True)
        )
        self.take(
            *(call, "MilestoneEnded", act.identity),
            milestone=act.milestone,
            by=by,
            outcome=RELEASED if full else REFUNDED if none else SPLIT,
            waits=int(waits),
            paid=tuple(paid),
        )
        for arbiter, reason in spoken:
            self.take(
                *(call, "Ruled", act.identity),
                milestone=act.milestone,
                arbiter=arbiter,
                reason=reason,
            )
        for amount, (k, line) in zip(paid, act.lines, strict=True):
            if line.quantity > amount:
                self.returned(call, act, k, line.quantity - amount)
            if amount and not waits:
                self.paid(call, act, k, amount)
