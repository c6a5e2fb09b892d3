"""Explains what becomes of payments that a freeze stopped when their outcome was fixed."""

from __future__ import annotations

from settle.audit.abi import Value
from settle.audit.calls import Call
from settle.audit.escrow_act import Act, EscrowActs
from settle.audit.escrow_digests import words_hash
from settle.audit.escrow_terms import MAX_WAIT_S
from settle.audit.findings import Code


class Waiting(EscrowActs):
    """Handlers of the acts on payments that wait."""

    def pay_out(self, call: Call, arguments: dict[str, Value]) -> None:
        """Explain payments that were made at last."""
        act = self._waiting(call, arguments)
        if act is None:
            return
        self.take(call, "PaymentsMade", act.identity, milestone=act.milestone)
        for amount, (k, _) in zip(arguments["paid"], act.lines, strict=False):
            if amount:
                self.paid(call, act, k, amount)

    def give_up(self, call: Call, arguments: dict[str, Value]) -> None:
        """Explain payments that went back because others stayed frozen."""
        act = self._waiting(call, arguments)
        if act is None:
            return
        paid = arguments["paid"]
        pays = [line for amount, (_, line) in zip(paid, act.lines, strict=False) if amount]
        mine = [line for line in pays if line.depositor == call.caller]
        stopped = {line.depositor for line in pays if self.stopped(line.depositor, line.asset)}
        if not mine or call.caller in stopped or not stopped:
            self.tell(call, Code.COMMITTED, "payments given up", act.identity, call.caller)
        since = act.waiting_since
        if call.place.time < since + MAX_WAIT_S:
            fact = f"given up before {since + MAX_WAIT_S}"
            self.tell(call, Code.WINDOW, fact, act.identity)
        self.take(
            *(call, "PaymentsGivenUp", act.identity), milestone=act.milestone, account=call.caller
        )
        for amount, (k, _) in zip(paid, act.lines, strict=False):
            if amount:
                self.returned(call, act, k, amount)

    def _waiting(self, call: Call, arguments: dict[str, Value]) -> Act | None:
        """Read an act on payments that wait, and check that they are the ones decided."""
        act = self.act(call, arguments)
        if act is None:
            return None
        word = act.escrow.waiting.get(act.milestone, 0)
        hashed = int.from_bytes(words_hash(arguments["paid"]), "big") >> 32
        if word >> 32 != hashed:
            self.tell(call, Code.TERMS, "payments that were not decided", act.identity)
        act.waiting_since = act.escrow.opened_at + (word & 0xFFFFFFFF)
        return act
