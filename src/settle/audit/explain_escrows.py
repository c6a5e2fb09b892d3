"""Explains every act on an escrow: who agreed, was it in time, did the condition hold?

Each ending is judged anew from what its call brought: the terms, the evidence, the signatures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from settle.audit import books as state
from settle.audit.abi import Value
from settle.audit.calls import Call
from settle.audit.escrow_act import Act, EscrowActs
from settle.audit.escrow_conditions import PREIMAGE, BadProgram, Condition, conditions, leaves
from settle.audit.escrow_evidence import EvidenceJudge
from settle.audit.escrow_terms import NOBODY, EscrowTerms, count_faults, escrow_terms, faults
from settle.audit.escrow_text import printed_hash
from settle.audit.explain_escrow_waits import Waiting
from settle.audit.findings import Code
from settle.audit.stage import Stage

AGREEMENT, CONDITION, PANEL, FALLBACK, DEFAULT, SILENCE = range(6)
_FALLBACK_INDEX: Final = 255


class Escrowing(EscrowActs):
    """Handlers of the acts on escrows, by the name of the function."""

    def __init__(self, stage: Stage) -> None:
        """Work on `stage`."""
        super().__init__(stage)
        self._evidence = EvidenceJudge(stage, self.digests)
        waiting = Waiting(stage)
        self.by_name: dict[str, Callable[[Call, dict[str, Value]], None]] = {
            "openEscrow": self._open,
            "withdrawFromEscrow": self._withdraw,
            "endByCondition": self._by_condition,
            "endByAgreement": self._by_agreement,
            "openDispute": self._dispute,
            "endByRuling": self._by_ruling,
            "endByDefault": self._by_default,
            "payOut": waiting.pay_out,
            "giveUpPayments": waiting.give_up,
        }

    # ------------------------------------------------------------------------ opening

    def _open(self, call: Call, arguments: dict[str, Value]) -> None:
        stage, terms = self.stage, escrow_terms(arguments["terms"])
        identity = self.digests.terms(terms)
        found = faults(terms, call.place.time)
        if not found:
            try:
                found = _lock_faults(terms, conditions(terms))
            except BadProgram as error:
                found = [f"the conditions: {error}"]
        for fault in found:
            self.tell(call, Code.TERMS, fault, identity)
        if not found:
            self._judge_text(call, terms, identity)
        self._judge_signers(call, terms, identity, arguments["signatures"])
        self.take(
            *(call, "EscrowOpened", identity),
            milestones=len(terms.deadlines),
            lines=len(terms.lines),
            text=terms.text,
        )
        for k, line in enumerate(terms.lines):
            if stage.books.account(line.depositor).frozen:
                self.tell(call, Code.ACCOUNT_FROZEN, "a depositor", identity, line.depositor)
            if not stage.books.is_open(line.asset):
                self.tell(call, Code.ASSET_FROZEN, f"asset {line.asset}", identity)
            self.take(
                *(call, "LineHeld", identity),
                line=k,
                depositor=line.depositor,
                asset=line.asset,
                quantity=line.quantity,
            )
        escrow = stage.books.escrows.get(identity)
        if escrow is not None:
            for k, line in enumerate(terms.lines):
                if k in escrow.lines:
                    escrow.lines[k].milestone = line.milestone

    def _judge_text(self, call: Call, terms: EscrowTerms, identity: bytes) -> None:
        """See that the English whose hash was signed is that of these terms."""
        printed = printed_hash(terms, self.stage.books.assets)
        if printed != terms.text:
            self.stage.findings.tell(
                call.place,
                Code.FOREIGN_TEXT,
                "the text",
                instruction=identity,
                stated=terms.text,
                computed="nothing that can be printed" if printed is None else printed,
            )

    def _judge_signers(
        self, call: Call, terms: EscrowTerms, identity: bytes, signatures: tuple[bytes, ...]
    ) -> None:
        stage, signers = self.stage, terms.signers()
        if len(signers) == len(signatures):
            for account, signature in zip(signers, signatures, strict=True):
                stage.consents.signature(call, identity, account, signature, identity)
        else:
            self.tell(call, Code.CONSENT_MISSING, f"{len(signatures)} signatures", identity)
        for account in terms.parties(range(len(terms.deadlines))):
            if stage.books.standing(account) != state.ADMITTED:
                self.tell(call, Code.STANDING, "a party", identity, account)

    def _withdraw(self, call: Call, arguments: dict[str, Value]) -> None:
        terms, account = escrow_terms(arguments["terms"]), arguments["account"]
        identity = self.digests.terms(terms)
        for fault in count_faults(terms):
            self.tell(call, Code.TERMS, fault, identity)
        if account not in terms.signers():
            self.tell(call, Code.CONSENT_MISSING, "withdrawn by a stranger", identity, account)
        digest = self.digests.withdrawal(account, identity)
        self.stage.consents.message(call, digest, account, arguments["signature"], identity)
        self.take(call, "EscrowConsentWithdrawn", identity, account=account)

    # ------------------------------------------------------------------------ ends

    def _by_condition(self, call: Call, arguments: dict[str, Value]) -> None:
        act = self.act(call, arguments)
        if act is None:
            return
        if call.place.time >= act.deadline:
            self.tell(call, Code.WINDOW, f"evidence after {act.deadline}", act.identity)
        if not self._evidence.holds(call, act, arguments["evidence"]):
            self.tell(call, Code.CONDITION, f"milestone {act.milestone}", act.identity)
        paid = [line.if_met for _, line in act.lines]
        self.end(call, act, CONDITION, paid)

    def _by_agreement(self, call: Call, arguments: dict[str, Value]) -> None:
        act = self.act(call, arguments)
        if act is None:
            return
        paid, valid_by = arguments["paid"], arguments["validBy"]
        if call.place.time >= valid_by:
            self.tell(call, Code.WINDOW, f"agreed until {valid_by}", act.identity)
        parties = act.terms.parties(act.clock.dependants(act.milestone))
        signatures = arguments["signatures"]
        if len(parties) == len(signatures):
            for account, signature in zip(parties, signatures, strict=True):
                digest = self.digests.split(act.identity, act.milestone, account, paid, valid_by)
                self.stage.consents.message(call, digest, account, signature, act.identity)
        else:
            self.tell(call, Code.CONSENT_MISSING, f"{len(signatures)} signatures", act.identity)
        self.end(call, act, AGREEMENT, paid)

    def _dispute(self, call: Call, arguments: dict[str, Value]) -> None:
        act = self.act(call, arguments)
        if act is None:
            return
        account, evidence = arguments["account"], arguments["evidence"]
        valid_by, now = arguments["validBy"], call.place.time
        if act.escrow.outcome(act.milestone):
            self.tell(call, Code.IMPOSSIBLE, "a dispute of a milestone that ended", act.identity)
        if not act.terms.arbiters or act.clock.is_locked(act.milestone):
            self.tell(call, Code.TERMS, "a dispute where none is possible", act.identity)
        if now >= min(act.deadline, valid_by):
            self.tell(call, Code.WINDOW, "a dispute", act.identity)
        if account not in act.terms.parties([act.milestone]):
            self.tell(call, Code.CONSENT_MISSING, "a dispute of a stranger", act.identity, account)
        digest = self.digests.dispute(act.identity, act.milestone, account, evidence, valid_by)
        self.stage.consents.message(call, digest, account, arguments["signature"], act.identity)
        self.take(
            *(call, "DisputeOpened", act.identity),
            milestone=act.milestone,
            account=account,
            evidence=evidence,
        )

    def _by_ruling(self, call: Call, arguments: dict[str, Value]) -> None:
        act = self.act(call, arguments)
        if act is None:
            return
        terms, paid, rulings = act.terms, arguments["paid"], arguments["rulings"]
        alone = [ruling[0] for ruling in rulings] == [_FALLBACK_INDEX]
        panel = {_FALLBACK_INDEX: terms.fallback} if alone else dict(enumerate(terms.arbiters))
        self._judge_turn(call, act, alone=alone)
        places = [ruling[0] for ruling in rulings]
        needed = 1 if alone else terms.quorum
        if places != sorted(set(places)) or len(places) < needed or not set(places) <= set(panel):
            fact = f"ruled by {places}, {needed} needed"
            self.tell(call, Code.CONSENT_MISSING, fact, act.identity)
        spoken: list[tuple[bytes, bytes]] = []
        for place, reason, valid_by, signature in rulings:
            arbiter = panel.get(place, NOBODY)
            if call.place.time >= valid_by:
                self.tell(call, Code.WINDOW, f"ruled until {valid_by}", act.identity, arbiter)
            digest = self.digests.ruling(
                act.identity, act.milestone, arbiter, paid, reason, valid_by
            )
            self.stage.consents.signature(call, digest, arbiter, signature, act.identity)
            spoken.append((arbiter, reason))
        self.end(call, act, FALLBACK if alone else PANEL, paid, spoken)

    def _judge_turn(self, call: Call, act: Act, *, alone: bool) -> None:
        disputed_at = act.escrow.disputes.get(act.milestone)
        if disputed_at is None:
            self.tell(call, Code.TERMS, "a ruling without a dispute", act.identity)
            return
        until = act.clock.panel_until(act.milestone, disputed_at)
        first, end = (until, act.deadline) if alone else (disputed_at + 1, until)
        if not first <= call.place.time < end:
            fact = f"a ruling outside {first} to {end}"
            self.tell(call, Code.WINDOW, fact, act.identity)

    def _by_default(self, call: Call, arguments: dict[str, Value]) -> None:
        act = self.act(call, arguments)
        if act is None:
            return
        if call.place.time < act.deadline:
            self.tell(call, Code.WINDOW, f"a default before {act.deadline}", act.identity)
        if act.milestone in act.escrow.disputes:
            self.end(call, act, SILENCE, [line.if_unruled for _, line in act.lines])
        else:
            self.end(call, act, DEFAULT, [line.by_default for _, line in act.lines])


def _lock_faults(terms: EscrowTerms, found: list[Condition]) -> list[str]:
    return [
        f"milestone {m} has a hash lock and several depositors"
        for m, condition in enumerate(found)
        if any(leaf.kind == PREIMAGE for leaf, _ in leaves(condition.root))
        and len({line.depositor for _, line in terms.of(m)}) > 1
    ]
