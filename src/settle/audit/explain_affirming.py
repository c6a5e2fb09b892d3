"""Explains affirm, reserve, release, withdraw and cancel: who agreed, and was it in order?"""

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
from settle.audit.terms import MAX_WINDOW_S, Instruction, parties

_LAST_EVENT: Final = {
    "affirm": "InstructionAffirmed",
    "reserve": "Reserved",
    "release": "ReservationEnded",
    "withdraw": "ConsentWithdrawn",
    "cancel": "InstructionCancelled",
}
ACTS: Final = tuple(_LAST_EVENT)


class Affirming:
    """Handlers of the acts on an instruction that are not its settlement."""

    def __init__(self, stage: Stage) -> None:
        """Work on `stage`."""
        self._stage = stage
        self._judges = {
            "affirm": self._affirm,
            "reserve": self._reserve,
            "release": self._release,
            "withdraw": self._withdraw,
            "cancel": self._cancel,
        }

    def explain(self, name: str, call: Call, arguments: dict[str, Value]) -> None:
        """Explain one act: judge it by the state before, then apply what it said."""
        stage = self._stage
        terms = signed_terms.instruction(arguments["instruction"])
        for fault in (faults := signed_terms.faults(terms)):
            stage.findings.tell(call.place, Code.TERMS, f"{name}: {fault}")
        if faults:
            return
        identity = stage.digests.instruction(terms)
        closer = _LAST_EVENT[name]
        run = run_of(stage.stream, stage.deployment.settlement, identity, (closer,))
        here = call
        if run and run[-1].name == closer:
            here = call._replace(place=run[-1].place)
        else:
            self._tell(call, Code.EVENT_MISSING, f"{closer} of {name}", identity)
        live = stage.books.live.get(identity)
        if name != "release":
            self._enter(here, name, terms, identity, live)
        self._judges[name](here, arguments, terms, identity, live, run)
        for event in run:
            stage.fold.apply(event)
        live = stage.books.live.get(identity)
        if live is not None:
            live.accounts = parties(terms.legs)

    def _enter(
        self,
        call: Call,
        name: str,
        terms: Instruction,
        identity: bytes,
        live: LiveInstruction | None,
    ) -> None:
        """Ask what every act asks but the release: a nonce that is free, a window not over."""
        bits = self._stage.books.nonce(terms.initiator, terms.nonce)
        if bits != state.OPEN and live is None:
            fact = f"{name} with nonce {terms.nonce}, which is {state.NONCE_NAMES[bits]}"
            self._tell(call, Code.NONCE, fact, identity, terms.initiator)
        if call.place.time >= terms.settle_by:
            self._tell(call, Code.WINDOW, f"{name} after {terms.settle_by}", identity)

    # ------------------------------------------------------------------------ coming in

    def _affirm(
        self,
        call: Call,
        arguments: dict[str, Value],
        terms: Instruction,
        identity: bytes,
        live: LiveInstruction | None,
        run: list[Event],
    ) -> None:
        accounts, signatures = parties(terms.legs), arguments["signatures"]
        before = consents = 0 if live is None else live.consents
        if len(signatures) != len(accounts):
            self._tell(call, Code.CONSENT_MISSING, f"{len(signatures)} signatures", identity)
            return
        if terms.settle_by > call.place.time + MAX_WINDOW_S:
            self._tell(call, Code.WINDOW, f"affirmed until {terms.settle_by}", identity)
        for position, (account, signature) in enumerate(zip(accounts, signatures, strict=True)):
            if not signature and (account != call.caller or before >> position & 1):
                continue
            self._stage.consents.message(call, identity, account, signature, identity)
            self._admitted(call, identity, account)
            consents |= 1 << position
        if not consents >> accounts.index(terms.initiator) & 1:
            fact = "affirmed before its initiator"
            self._tell(call, Code.CONSENT_MISSING, fact, identity, terms.initiator)
        self._expect(
            run,
            initiator=terms.initiator,
            nonce=terms.nonce,
            consents=consents,
            accounts=len(accounts),
        )

    def _reserve(
        self,
        call: Call,
        arguments: dict[str, Value],
        terms: Instruction,
        identity: bytes,
        live: LiveInstruction | None,
        run: list[Event],
    ) -> None:
        stage, account, committed = self._stage, arguments["account"], arguments["committed"]
        digest = stage.digests.reservation(account, identity, committed)
        self._message(call, digest, account, arguments["signature"], identity, live)
        self._admitted(call, identity, account)
        if stage.books.account(account).frozen:
            self._tell(call, Code.ACCOUNT_FROZEN, "a reservation", identity, account)
        if live is None:
            self._tell(call, Code.IMPOSSIBLE, "a reservation before any consent", identity)
            return
        mine = [k for k, leg in enumerate(terms.legs) if leg.deliverer == account]
        placed = [k for k in mine if not live.reserved >> k & 1]
        bit = 1 << parties(terms.legs).index(account) if mine else 0
        names = ["HoldPlaced"] * len(placed)
        if not live.consents & bit:
            names.append("InstructionAffirmed")
        if self._names(call, identity, run, [*names, "Reserved"]):
            for event, k in zip(run, placed, strict=False):
                leg = terms.legs[k]
                stage.compare(
                    event,
                    {
                        "index": k,
                        "module": stage.deployment.settlement,
                        "account": account,
                        "asset": leg.asset,
                        "quantity": leg.quantity,
                        "deadline": terms.settle_by,
                    },
                )
            if len(run) > len(placed) + 1:
                stage.compare(run[len(placed)], {"consents": live.consents | bit})
        self._expect(run, account=account, committed=committed)

    # ------------------------------------------------------------------------ going out

    def _release(
        self,
        call: Call,
        arguments: dict[str, Value],
        terms: Instruction,
        identity: bytes,
        live: LiveInstruction | None,
        run: list[Event],
    ) -> None:
        account = arguments["account"]
        if call.place.time < terms.settle_by:
            if live is not None and _binding(live, terms):
                self._tell(call, Code.COMMITTED, "a release", identity, account)
            digest = self._stage.digests.release(account, identity)
            self._message(call, digest, account, arguments["signature"], identity, live)
        self._ended(call, identity, run, account)
        self._expect(run, account=account)

    def _withdraw(
        self,
        call: Call,
        arguments: dict[str, Value],
        terms: Instruction,
        identity: bytes,
        live: LiveInstruction | None,
        run: list[Event],
    ) -> None:
        stage, account, accounts = self._stage, arguments["account"], parties(terms.legs)
        if live is not None and _complete(live):
            self._tell(call, Code.COMMITTED, "a withdrawal", identity, account)
        digest = stage.digests.withdrawal(account, identity)
        stage.consents.message(call, digest, account, arguments["signature"], identity)
        if account not in accounts or account == terms.initiator:
            self._tell(call, Code.TERMS, "withdrawn by one who has no consent", identity, account)
            return
        left = 0 if live is None else live.consents & ~(1 << accounts.index(account))
        self._ended(call, identity, run, account)
        self._expect(run, account=account, consents=left)

    def _cancel(
        self,
        call: Call,
        arguments: dict[str, Value],
        terms: Instruction,
        identity: bytes,
        live: LiveInstruction | None,
        run: list[Event],
    ) -> None:
        stage, valid_by = self._stage, arguments["validBy"]
        accounts, signatures = parties(terms.legs), arguments["signatures"]
        if call.place.time >= valid_by:
            self._tell(call, Code.WINDOW, f"cancelled by signatures until {valid_by}", identity)
        by_all = len(signatures) == len(accounts)
        if not by_all:
            if live is not None and _complete(live):
                self._tell(call, Code.COMMITTED, "a cancellation", identity, terms.initiator)
            accounts = (terms.initiator,)
        if len(signatures) != len(accounts):
            self._tell(call, Code.CONSENT_MISSING, f"{len(signatures)} signatures", identity)
            return
        for account, signature in zip(accounts, signatures, strict=True):
            digest = stage.digests.cancellation(account, identity, valid_by)
            stage.consents.message(call, digest, account, signature, identity)
        self._ended(call, identity, run, None)
        self._expect(run, initiator=terms.initiator, nonce=terms.nonce, byAll=int(by_all))

    # ------------------------------------------------------------------------ parts

    def _message(
        self,
        call: Call,
        digest: bytes,
        account: bytes,
        signature: bytes,
        identity: bytes,
        live: LiveInstruction | None,
    ) -> None:
        """Verify a message about a reservation; signed ones serve until the account ended one."""
        if signature and live is not None and account in live.released:
            self._tell(call, Code.MESSAGE_REUSED, "about a reservation", identity, account)
        self._stage.consents.message(call, digest, account, signature, identity)

    def _admitted(self, call: Call, identity: bytes, account: bytes) -> None:
        books = self._stage.books
        if books.standing(account) != state.ADMITTED:
            self._tell(call, Code.STANDING, "a party", identity, account)
        if (account, identity) in books.withdrawn:
            self._tell(call, Code.CONSENT_WITHDRAWN, "a party", identity, account)

    def _ended(self, call: Call, identity: bytes, run: list[Event], account: bytes | None) -> None:
        """Expect the holds of an account, or of all, to end unexecuted before the last event."""
        holds = [
            hold
            for hold in self._stage.books.reservations(identity)
            if account is None or hold.account == account
        ]
        last = [event.name for event in run[-1:]]
        if self._names(call, identity, run, [*["HoldEnded"] * len(holds), *last]):
            for event, hold in zip(run, holds, strict=False):
                self._stage.compare(event, {"index": hold.position, "executed": 0})

    def _names(self, call: Call, identity: bytes, run: list[Event], computed: list[str]) -> bool:
        stated = [event.name for event in run]
        if run and stated != computed:
            self._stage.findings.tell(
                call.place,
                Code.EVENT_DIFFERS,
                "the events of an act",
                instruction=identity,
                stated=", ".join(stated),
                computed=", ".join(computed),
            )
            return False
        return bool(run)

    def _expect(self, run: list[Event], **arguments: Value) -> None:
        if run and set(arguments) <= set(run[-1].arguments):
            self._stage.compare(run[-1], arguments)

    def _tell(
        self, call: Call, code: Code, fact: str, identity: bytes, account: bytes | None = None
    ) -> None:
        self._stage.findings.tell(call.place, code, fact, instruction=identity, account=account)


def _complete(live: LiveInstruction) -> bool:
    """Whether every account's consent is on chain: the moment of irrevocability."""
    return live.consents == (1 << live.count) - 1


def _binding(live: LiveInstruction, terms: Instruction) -> bool:
    return _complete(live) and live.committed == (1 << len(terms.legs)) - 1
