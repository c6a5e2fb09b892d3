"""Explains settle and settleMany: the terms, the consents and the rules behind each settlement."""

from __future__ import annotations

from typing import Final

from settle.audit import books as state
from settle.audit import terms as signed_terms
from settle.audit.abi import Value
from settle.audit.books import LiveInstruction
from settle.audit.calls import Call
from settle.audit.events import Event, run_of
from settle.audit.findings import Code
from settle.audit.stage import Stage
from settle.audit.terms import MAX_LEGS, OPTION_RECORD, Instruction

_CLOSERS: Final = frozenset(("InstructionSettled", "InstructionNotSettled"))
_NO_ID: Final = bytes(32)


class Settling:
    """Handlers of the two calls that settle. `instructions` counts what settled."""

    def __init__(self, stage: Stage) -> None:
        """Work on `stage`."""
        self._stage = stage
        self.instructions = 0

    def settle(self, call: Call, arguments: dict[str, Value]) -> None:
        """Explain one settlement; it happened, or the transaction would have failed."""
        self._settle(call, arguments["instruction"], arguments["signatures"], must=True)

    def settle_many(self, call: Call, arguments: dict[str, Value]) -> None:
        """Explain a batch: each request was settled, or says that it was not."""
        for instruction, signatures in arguments["requests"]:
            self._settle(call, instruction, signatures, must=False)

    def _settle(
        self, call: Call, value: Value, signatures: tuple[bytes, ...], *, must: bool
    ) -> None:
        stage = self._stage
        terms = signed_terms.instruction(value)
        bounded = 0 < len(terms.legs) <= MAX_LEGS
        identity = stage.digests.instruction(terms) if bounded else _NO_ID
        run = run_of(stage.stream, stage.deployment.settlement, identity, _CLOSERS)
        if not run or run[-1].name not in _CLOSERS:
            stage.findings.tell(
                call.place,
                Code.EVENT_MISSING,
                "the outcome of an instruction",
                instruction=identity,
                stated="no event",
                computed="InstructionSettled" if must else "settled or not",
            )
        elif run[-1].name == "InstructionNotSettled" and not must and len(run) == 1:
            stage.fold.apply(run[0])
            return
        else:
            self.instructions += 1
        if run:
            # The place of its outcome, so that a finding about it names the log.
            here = call._replace(place=run[-1].place)
            self._judge(here, terms, identity, signatures)
            self._compare(here, terms, identity, run)
        for event in run:
            stage.fold.apply(event)
        if terms.options & OPTION_RECORD and run and run[-1].name == "InstructionSettled":
            stage.take(
                call, stage.deployment.settlement, "InstructionRecorded", instruction=identity
            )

    # ------------------------------------------------------------------------ rules

    def _judge(
        self, call: Call, terms: Instruction, identity: bytes, signatures: tuple[bytes, ...]
    ) -> None:
        stage, place, time = self._stage, call.place, call.place.time
        for fault in signed_terms.faults(terms):
            stage.findings.tell(place, Code.TERMS, fault, instruction=identity)
        if not terms.settle_from <= time < terms.settle_by:
            stage.findings.tell(
                place,
                Code.WINDOW,
                "the time of settlement",
                instruction=identity,
                stated=time,
                computed=f"from {terms.settle_from} to before {terms.settle_by}",
            )
        live = stage.books.live.get(identity)
        accounts = signed_terms.parties(terms.legs)
        self._judge_consents(call, identity, accounts, signatures, live)
        deliverers = {leg.deliverer for leg in terms.legs}
        for account in accounts:
            word = stage.books.accounts.get(account)
            if word is None or word.standing != state.ADMITTED:
                stage.findings.tell(
                    place, Code.STANDING, "a party", instruction=identity, account=account
                )
            elif word.frozen and account in deliverers:
                stage.findings.tell(
                    place, Code.ACCOUNT_FROZEN, "a party", instruction=identity, account=account
                )
            if (
                word is not None
                and word.withdrawals
                and ((account, identity) in stage.books.withdrawn)
            ):
                stage.findings.tell(
                    place, Code.CONSENT_WITHDRAWN, "a party", instruction=identity, account=account
                )

    def _judge_consents(
        self,
        call: Call,
        identity: bytes,
        accounts: tuple[bytes, ...],
        signatures: tuple[bytes, ...],
        live: LiveInstruction | None,
    ) -> None:
        stage = self._stage
        on_chain = 0 if live is None else live.consents
        brought = signatures if len(signatures) == len(accounts) else (b"",) * len(accounts)
        for position, (account, signature) in enumerate(zip(accounts, brought, strict=True)):
            if signature:
                stage.consents.signature(call, identity, account, signature, identity)
            elif not on_chain >> position & 1:
                stage.findings.tell(
                    call.place,
                    Code.CONSENT_MISSING,
                    "no signature was brought and none is on chain",
                    instruction=identity,
                    account=account,
                )

    # ------------------------------------------------------------------------ events

    def _compare(self, call: Call, terms: Instruction, identity: bytes, run: list[Event]) -> None:
        """Hold the events against the terms: ended holds, then legs in order, then the outcome."""
        stage = self._stage
        expected: list[tuple[str, dict[str, Value]]] = [
            ("HoldEnded", {"index": hold.position, "account": hold.account, "executed": 1})
            for hold in stage.books.reservations(identity)
        ]
        covered: dict[tuple[bytes, int], int] = {}
        for leg in terms.legs:
            values = leg._asdict()
            expected.append(("Posted", values))
            self._cover(call, identity, leg, covered)
        expected.append(
            ("InstructionSettled", {"initiator": terms.initiator, "nonce": terms.nonce})
        )
        names, computed = [event.name for event in run], [name for name, _ in expected]
        if names != computed:
            stage.findings.tell(
                call.place,
                Code.EVENT_DIFFERS,
                "the events of an instruction",
                instruction=identity,
                stated=", ".join(names),
                computed=", ".join(computed),
            )
            return
        for event, (_, arguments) in zip(run, expected, strict=True):
            stage.compare(event, arguments)

    def _cover(
        self,
        call: Call,
        identity: bytes,
        leg: signed_terms.Leg,
        covered: dict[tuple[bytes, int], int],
    ) -> None:
        """See that the deliverer has the quantity, its own reservation and earlier legs counted."""
        books = self._stage.books
        for account in (leg.deliverer, leg.receiver):
            if (account, leg.asset) not in covered:
                covered[account, leg.asset] = books.holding(account, leg.asset)[0] + sum(
                    hold.quantity
                    for hold in books.reservations(identity)
                    if (hold.account, hold.asset) == (account, leg.asset)
                )
        covered[leg.deliverer, leg.asset] -= leg.quantity
        covered[leg.receiver, leg.asset] += leg.quantity
        if covered[leg.deliverer, leg.asset] < 0:
            self._stage.findings.tell(
                call.place,
                Code.NOT_COVERED,
                "a leg",
                instruction=identity,
                account=leg.deliverer,
                asset=leg.asset,
                stated=leg.quantity,
                computed=covered[leg.deliverer, leg.asset] + leg.quantity,
            )
