"""Escrows on the bench: terms, and the events and calls of every act as the contract makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rule_bench import (
    ALPHA,
    ANYBODY,
    ARBITERS,
    BRAVO,
    CHARLIE,
    EURO,
    FALLBACK,
    NOW,
    SHARES,
    Bench,
    sign,
)

from settle.audit import books as state
from settle.audit.books import Account
from settle.audit.escrow_terms import NOBODY, EscrowTerms, Line
from settle.audit.escrow_text import printed_hash
from settle.audit.explain_escrows import (
    AGREEMENT,
    CONDITION,
    DEFAULT,
    PANEL,
    SILENCE,
)
from settle.audit.explain_escrows import FALLBACK as BY_FALLBACK
from settle.audit.findings import Code
from settle.audit.rpc import NodeLine
from settle.domain.escrow.conditions import Condition, Never
from settle.domain.escrow.program import write_program

HOUR, DAY = 3_600, 86_400
DELIVERED = b"delivered".ljust(32, b"\0")
REASON = b"DOCS"


class EscrowBench(Bench):
    """Three admitted parties; an escrow's acts, each honest unless its test says otherwise."""

    def __init__(self, line: NodeLine | None = None) -> None:
        super().__init__(line)
        self.books.accounts[CHARLIE] = Account(standing=state.ADMITTED)
        self._written: dict[tuple[bytes, int], tuple[int, int]] = {}
        self.said = self.escrowing.digests

    # ------------------------------------------------------------------------ terms

    def draft(
        self, *conditions: Condition, swap: bool = False, panel: bool = False, **changes: Any
    ) -> EscrowTerms:
        """A milestone a condition: Alpha pays Bravo 100, and Bravo Alpha 10 where it is a swap."""
        lines: list[Line] = []
        for milestone in range(len(conditions)):
            lines.append(Line(milestone, EURO, ALPHA, BRAVO, 100, 100, 0, 50))
            if swap:
                lines.append(Line(milestone, SHARES, BRAVO, ALPHA, 10, 10, 0, 5))
        values = {
            "open_by": NOW + HOUR,
            "lines": tuple(lines),
            "deadlines": tuple(NOW + (k + 1) * DAY for k in range(len(conditions))),
            "program": write_program(conditions),
            "arbiters": tuple(ARBITERS) if panel else (),
            "quorum": 2 if panel else 0,
            "answer_time": 2 * HOUR if panel else 0,
            "fallback": FALLBACK if panel else NOBODY,
            "fallback_time": HOUR if panel else 0,
            "text": bytes(32),
            "ref": bytes(32),
            "salt": b"\x5a" * 32,
            **changes,
        }
        terms = EscrowTerms(**values)
        if "text" in changes:
            return terms
        return terms._replace(text=printed_hash(terms, self.books.assets) or bytes(32))

    def identity(self, terms: EscrowTerms) -> bytes:
        return self.said.terms(terms)

    def running(self, *conditions: Condition, **more: Any) -> EscrowTerms:
        """Terms that were opened, of one milestone without a condition unless told otherwise."""
        terms = self.draft(*(conditions or (Never(),)), **more)
        assert self.open(terms) == set()
        return terms

    # ------------------------------------------------------------------------ opening

    def opened(self, terms: EscrowTerms) -> None:
        """Write the events of an opening."""
        self.say(
            *(terms, "EscrowOpened"),
            milestones=len(terms.deadlines),
            lines=len(terms.lines),
            text=terms.text,
        )
        for k, line in enumerate(terms.lines):
            self.held(terms, "LineHeld", k, (-line.quantity, line.quantity))

    def open(self, terms: EscrowTerms, signatures: Sequence[bytes] | None = None) -> set[Code]:
        if not self.stage.stream:
            self.opened(terms)
        if signatures is None:
            signatures = [sign(self.identity(terms), account) for account in terms.signers()]
        return self.explain("openEscrow", terms, signatures=tuple(signatures))

    def withdraw(
        self, terms: EscrowTerms, account: bytes, signature: bytes | None = None, **more: Any
    ) -> set[Code]:
        self.say(terms, "EscrowConsentWithdrawn", account=account)
        if signature is None:
            signature = sign(self.said.withdrawal(account, self.identity(terms)), account)
        return self.explain(
            "withdrawFromEscrow", terms, account=account, signature=signature, **more
        )

    # ------------------------------------------------------------------------ ends

    def ended(
        self,
        terms: EscrowTerms,
        milestone: int,
        by: int,
        paid: Sequence[int],
        *,
        waits: bool = False,
        spoken: Sequence[bytes] = (),
    ) -> None:
        """Write the events of an end; `spoken`: arbiters who gave the reason."""
        lines = terms.of(milestone)
        full = list(paid) == [line.quantity for _, line in lines]
        self.say(
            *(terms, "MilestoneEnded"),
            milestone=milestone,
            by=by,
            outcome=1 if full else 3 if any(paid) else 2,
            waits=int(waits),
            paid=tuple(paid),
        )
        for arbiter in spoken:
            self.say(terms, "Ruled", milestone=milestone, arbiter=arbiter, reason=REASON)
        for amount, (k, line) in zip(paid, lines, strict=False):
            if line.quantity > amount:
                self.returned(terms, k, line.quantity - amount)
            if amount and not waits:
                self.paid(terms, k, amount)

    def returned(self, terms: EscrowTerms, k: int, quantity: int) -> None:
        self.held(terms, "LineReturned", k, (quantity, -quantity))

    def paid(self, terms: EscrowTerms, k: int, quantity: int) -> None:
        line = terms.lines[k]
        words = [
            self._moved(line.depositor, line.asset, (0, -quantity)),
            self._moved(line.beneficiary, line.asset, (quantity, 0)),
        ]
        self.say(
            *(terms, "LinePaid"),
            line=k,
            asset=line.asset,
            depositor=line.depositor,
            beneficiary=line.beneficiary,
            quantity=quantity,
            depositorHolding=words[0],
            beneficiaryHolding=words[1],
        )

    def meet(
        self, terms: EscrowTerms, milestone: int = 0, evidence: Sequence[bytes] = (), **more: Any
    ) -> set[Code]:
        """End by the condition."""
        if not self.stage.stream:
            paid = [line.if_met for _, line in terms.of(milestone)]
            self.ended(terms, milestone, CONDITION, paid, **more)
        return self.explain("endByCondition", terms, milestone, evidence=tuple(evidence))

    def lapse(self, terms: EscrowTerms, milestone: int = 0, *, disputed: bool = False) -> set[Code]:
        """End by default, or, of a disputed milestone, by silence."""
        if not self.stage.stream:
            lines = [line for _, line in terms.of(milestone)]
            paid = [line.if_unruled if disputed else line.by_default for line in lines]
            self.ended(terms, milestone, SILENCE if disputed else DEFAULT, paid)
        return self.explain("endByDefault", terms, milestone)

    def agree(
        self,
        terms: EscrowTerms,
        paid: Sequence[int],
        by: Sequence[bytes] = (ALPHA, BRAVO),
        *,
        milestone: int = 0,
        valid_by: int = NOW + DAY,
        signatures: Sequence[bytes] | None = None,
        **more: Any,
    ) -> set[Code]:
        if not self.stage.stream:
            self.ended(terms, milestone, AGREEMENT, paid)
        paid, identity = tuple(paid), self.identity(terms)
        if signatures is None:
            signatures = [
                sign(self.said.split(identity, milestone, account, paid, valid_by), account)
                for account in by
            ]
        given = {"paid": paid, "validBy": valid_by, "signatures": tuple(signatures)}
        return self.explain("endByAgreement", terms, milestone, **given, **more)

    # ------------------------------------------------------------------------ disputes

    def dispute(
        self,
        terms: EscrowTerms,
        milestone: int = 0,
        account: bytes = ALPHA,
        *,
        valid_by: int = NOW + 9 * DAY,
        signature: bytes | None = None,
        **more: Any,
    ) -> set[Code]:
        if not self.stage.stream:
            self.say(
                *(terms, "DisputeOpened"), milestone=milestone, account=account, evidence=DELIVERED
            )
        if signature is None:
            asked = (self.identity(terms), milestone, account, DELIVERED, valid_by)
            signature = sign(self.said.dispute(*asked), account)
        given = {"account": account, "evidence": DELIVERED, "validBy": valid_by}
        return self.explain("openDispute", terms, milestone, **given, signature=signature, **more)

    def rule(
        self,
        terms: EscrowTerms,
        by: Sequence[int],
        paid: Sequence[int] = (40,),
        *,
        valid_by: int = NOW + 9 * DAY,
        signed: Sequence[int] | None = None,
    ) -> set[Code]:
        """Rule by arbiters' places, 255 the fallback's; `signed`: the amounts that they signed."""
        arbiters = [ARBITERS[place] if place < len(ARBITERS) else FALLBACK for place in by]
        if not self.stage.stream:
            self.ended(
                *(terms, 0, BY_FALLBACK if tuple(by) == (255,) else PANEL, paid), spoken=arbiters
            )
        rulings = []
        for place, arbiter in zip(by, arbiters, strict=True):
            said = (self.identity(terms), 0, arbiter, tuple(signed or paid), REASON, valid_by)
            rulings.append((place, REASON, valid_by, sign(self.said.ruling(*said), arbiter)))
        return self.explain("endByRuling", terms, 0, paid=tuple(paid), rulings=tuple(rulings))

    # ------------------------------------------------------------------------ waiting

    def pay_out(self, terms: EscrowTerms, paid: Sequence[int], milestone: int = 0) -> set[Code]:
        if not self.stage.stream:
            self.say(terms, "PaymentsMade", milestone=milestone)
            for amount, (k, _) in zip(paid, terms.of(milestone), strict=False):
                if amount:
                    self.paid(terms, k, amount)
        return self.explain("payOut", terms, milestone, paid=tuple(paid))

    def give_up(
        self, terms: EscrowTerms, paid: Sequence[int], caller: bytes = ALPHA, milestone: int = 0
    ) -> set[Code]:
        if not self.stage.stream:
            self.say(terms, "PaymentsGivenUp", milestone=milestone, account=caller)
            for amount, (k, _) in zip(paid, terms.of(milestone), strict=False):
                if amount:
                    self.returned(terms, k, amount)
        return self.explain("giveUpPayments", terms, milestone, caller=caller, paid=tuple(paid))

    # ------------------------------------------------------------------------ parts

    def explain(
        self,
        name: str,
        terms: EscrowTerms,
        milestone: int = 0,
        caller: bytes = ANYBODY,
        **arguments: Any,
    ) -> set[Code]:
        """Explain an act on an escrow that left the events before; the classes of findings."""
        handler = self.escrowing.by_name[name]
        handler(self.call(caller), {"terms": terms, "milestone": milestone, **arguments})
        self._written.clear()
        return self.codes()

    def facts(self) -> set[str]:
        """What was found, in words."""
        return {finding.fact for finding in self.findings.kept}

    def alter(self, name: str, **arguments: Any) -> None:
        """Change the first event of a name that was written."""
        event = next(event for event in self.stage.stream if event.name == name)
        event.arguments.update(arguments)

    def say(self, terms: EscrowTerms, name: str, **arguments: Any) -> None:
        """Write an event of an escrow."""
        identity = self.identity(terms)
        self.event(name, identity, id=identity, **arguments)

    def held(self, terms: EscrowTerms, name: str, k: int, delta: tuple[int, int]) -> None:
        """Write that what is held of a line became more or less."""
        line = terms.lines[k]
        self.say(
            *(terms, name),
            line=k,
            depositor=line.depositor,
            asset=line.asset,
            quantity=abs(delta[0]),
            holding=self._moved(line.depositor, line.asset, delta),
        )

    def _moved(self, account: bytes, asset: int, delta: tuple[int, int]) -> int:
        key = (account, asset)
        before = self._written.get(key, self.books.holding(account, asset))
        after = (max(0, before[0] + delta[0]), max(0, before[1] + delta[1]))
        self._written[key] = after
        return after[0] | after[1] << 128
