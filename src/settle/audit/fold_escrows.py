"""What each event of an escrow does to the books, and whether it can be (laws L2, L4 and L8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from settle.audit.books import Amounts, Books, EscrowEntry, HeldLine
from settle.audit.escrow_digests import words_hash
from settle.audit.events import Event
from settle.audit.findings import Code, Findings
from settle.audit.fold_ledger import LedgerFold

RELEASED, REFUNDED, SPLIT = 1, 2, 3
_LOW: Final = (1 << 128) - 1


class EscrowFold:
    """Applies the events of escrows to `books`."""

    def __init__(self, books: Books, ledger: LedgerFold, findings: Findings) -> None:
        """Start from these books; `ledger` changes holdings."""
        self._books = books
        self._ledger = ledger
        self._findings = findings
        self.by_name: dict[str, Callable[[Event], None]] = {
            "EscrowOpened": self._opened,
            "EscrowConsentWithdrawn": self._withdrawn,
            "LineHeld": self._held,
            "LineReturned": self._returned,
            "LinePaid": self._paid,
            "MilestoneEnded": self._ended,
            "PaymentsMade": self._wait_over,
            "PaymentsGivenUp": self._wait_over,
            "DisputeOpened": self._disputed,
            "Ruled": self._ruled,
            "InstructionRecorded": self._recorded,
        }

    def balance(self, event: Event | None) -> None:
        """Check at the end of a transaction that what was decided was held, and was distributed."""
        if event is None:
            return
        for identity in self._books.touched_escrows:
            escrow = self._books.escrows[identity]
            for place, line in escrow.lines.items():
                held = line.due if escrow.outcome(line.milestone) else line.quantity
                if line.left != held:
                    self._findings.tell(
                        event.place,
                        Code.IMPOSSIBLE,
                        f"what is held of line {place}",
                        instruction=identity,
                        account=line.depositor,
                        asset=line.asset,
                        stated=line.left,
                        computed=held,
                    )
        self._books.touched_escrows.clear()

    # ------------------------------------------------------------------------ opening

    def _opened(self, event: Event) -> None:
        books = self._books
        before = books.escrows.get(event.subject)
        if before is not None:
            word = "open before" if before.opened_at else "withdrawn from before"
            self._impossible(event, "an escrow", "opened", word)
        books.escrows[event.subject] = EscrowEntry(
            opened_at=event.place.time, milestones=event.arguments["milestones"]
        )
        books.touched_escrows.add(event.subject)

    def _withdrawn(self, event: Event) -> None:
        before = self._books.escrows.get(event.subject)
        if before is not None:
            self._impossible(event, "a signature", "withdrawn", "open, or withdrawn before")
            return
        self._books.escrows[event.subject] = EscrowEntry(withdrawn=True)

    def _held(self, event: Event) -> None:
        values, escrow = event.arguments, self._escrow(event)
        if escrow is None:
            return
        account, asset, quantity = values["depositor"], values["asset"], values["quantity"]
        if values["line"] in escrow.lines:
            self._impossible(event, f"line {values['line']}", "held", "held before")
        escrow.lines[values["line"]] = HeldLine(account, asset, quantity)
        self._change(event, account, asset, (-quantity, quantity), values["holding"])

    # ------------------------------------------------------------------------ ends

    def _returned(self, event: Event) -> None:
        values = event.arguments
        account, asset, quantity = values["depositor"], values["asset"], values["quantity"]
        self._take(event, quantity)
        self._change(event, account, asset, (quantity, -quantity), values["holding"])

    def _paid(self, event: Event) -> None:
        values, books = event.arguments, self._books
        depositor, asset, quantity = values["depositor"], values["asset"], values["quantity"]
        self._take(event, quantity)
        if books.account(depositor).frozen:
            self._findings.tell(
                *(event.place, Code.ACCOUNT_FROZEN, "a line"),
                instruction=event.subject,
                account=depositor,
            )
        if not books.is_open(asset):
            self._findings.tell(
                *(event.place, Code.ASSET_FROZEN, "a line"), instruction=event.subject, asset=asset
            )
        for account, delta, word in (
            (depositor, (0, -quantity), values["depositorHolding"]),
            (values["beneficiary"], (quantity, 0), values["beneficiaryHolding"]),
        ):
            self._change(event, account, asset, delta, word)

    def _ended(self, event: Event) -> None:
        values, escrow = event.arguments, self._escrow(event)
        if escrow is None:
            return
        milestone, paid = values["milestone"], values["paid"]
        if escrow.outcome(milestone):
            self._impossible(event, f"milestone {milestone}", "ended", "ended before")
        mine = escrow.lines_of(milestone)
        held = [line.quantity for line in mine]
        class_ = RELEASED if list(paid) == held else REFUNDED if not any(paid) else SPLIT
        if mine and (len(paid) != len(held) or values["outcome"] != class_):
            self._impossible(event, "the outcome", values["outcome"], class_)
        escrow.end(milestone, values["outcome"], waits=bool(values["waits"]))
        escrow.ends[milestone] = (values["by"], tuple(paid), event.place.time)
        if values["waits"]:
            seconds = event.place.time - escrow.opened_at
            kept = int.from_bytes(words_hash(paid), "big") >> 32 << 32 | seconds
            escrow.waiting[milestone] = kept
            for line, amount in zip(mine, paid, strict=False):
                line.due = amount

    def _wait_over(self, event: Event) -> None:
        escrow, milestone = self._escrow(event), event.arguments["milestone"]
        if escrow is None:
            return
        if escrow.waiting.pop(milestone, None) is None:
            self._impossible(event, f"payments of milestone {milestone}", "waited", "did not")
        escrow.end_wait(milestone)
        for line in escrow.lines_of(milestone):
            line.due = 0

    def _disputed(self, event: Event) -> None:
        escrow, milestone = self._escrow(event), event.arguments["milestone"]
        if escrow is None:
            return
        if milestone in escrow.disputes:
            self._impossible(event, f"milestone {milestone}", "disputed", "disputed before")
        escrow.disputes[milestone] = event.place.time

    def _ruled(self, event: Event) -> None:
        """Leave everything as it was."""

    def _recorded(self, event: Event) -> None:
        self._books.recorded.add(event.subject)

    # ------------------------------------------------------------------------ parts

    def _escrow(self, event: Event) -> EscrowEntry | None:
        escrow = self._books.escrows.get(event.subject)
        if escrow is None or not escrow.opened_at:
            self._impossible(event, "an escrow", event.name, "not open")
            return None
        self._books.touched_escrows.add(event.subject)
        return escrow

    def _take(self, event: Event, quantity: int) -> None:
        """Take a quantity out of what is held of the event's line."""
        values, escrow = event.arguments, self._escrow(event)
        line = None if escrow is None else escrow.lines.get(values["line"])
        whose = None if line is None else (line.depositor, line.asset)
        if line is None or whose != (values["depositor"], values["asset"]):
            self._impossible(event, f"line {values['line']}", "ended", f"held of {whose}")
            return
        if quantity > line.left:
            self._impossible(event, f"what is held of line {values['line']}", quantity, line.left)
        line.left = max(0, line.left - quantity)

    def _change(self, event: Event, account: bytes, asset: int, delta: Amounts, word: int) -> None:
        self._ledger.change(event, account, asset, delta, (word & _LOW, word >> 128))

    def _impossible(self, event: Event, fact: str, stated: object, computed: object) -> None:
        self._findings.tell(
            event.place,
            Code.IMPOSSIBLE,
            fact,
            instruction=event.subject,
            stated=stated,
            computed=computed,
        )
