"""What each event of settlement does to the books, and whether it can be (laws L4 and L8)."""

from __future__ import annotations

from collections.abc import Callable

from settle.audit import books as state
from settle.audit.books import Books, LiveInstruction
from settle.audit.events import Event
from settle.audit.findings import Code, Findings


class InstructionFold:
    """Applies the events of instructions to `books`."""

    def __init__(self, books: Books, findings: Findings) -> None:
        """Start from these books."""
        self._books = books
        self._findings = findings
        self.by_name: dict[str, Callable[[Event], None]] = {
            "InstructionAffirmed": self._affirmed,
            "Reserved": self._reserved,
            "ReservationEnded": self._reservation_ended,
            "ConsentWithdrawn": self._consent_withdrawn,
            "InstructionSettled": self._settled,
            "InstructionCancelled": self._cancelled,
            "InstructionNotSettled": self._not_settled,
        }

    def balance(self, event: Event | None) -> None:
        """Check at the end of a transaction that no leg moved outside a settlement (law L1)."""
        if event is not None:
            for subject in self._books.posted:
                fact = "legs that moved without their instruction being settled"
                self._findings.tell(event.place, Code.IMPOSSIBLE, fact, instruction=subject)
        self._books.posted.clear()

    def _affirmed(self, event: Event) -> None:
        values, books = event.arguments, self._books
        live = books.live.get(event.subject)
        self._expect(event, state.OPEN if live is None else state.LIVE)
        if live is None:
            books.set_nonce(values["initiator"], values["nonce"], state.LIVE)
            live = LiveInstruction(values["initiator"], values["nonce"], values["accounts"])
            books.live[event.subject] = live
        if live.consents & ~values["consents"] or live.count != values["accounts"]:
            self._differs(event, "the consents", f"{values['consents']:b}", f"{live.consents:b}+")
        live.consents = values["consents"]

    def _reserved(self, event: Event) -> None:
        live, account = self._live(event), event.arguments["account"]
        if live is None:
            return
        legs = 0
        for hold in self._books.reservations(event.subject):
            if hold.account == account:
                legs |= 1 << hold.position
        if not legs:
            self._differs(event, "the holds of a reservation", "placed", "none", account)
        if event.arguments["committed"]:
            live.committed |= legs

    def _reservation_ended(self, event: Event) -> None:
        live, account = self._live(event), event.arguments["account"]
        self._no_holds_of(event, account)
        if live is not None:
            live.released.add(account)

    def _consent_withdrawn(self, event: Event) -> None:
        books, account = self._books, event.arguments["account"]
        key = (account, event.subject)
        if key in books.withdrawn:
            self._differs(event, "the consent", "withdrawn", "withdrawn before", account)
        books.withdrawn.add(key)
        books.account(account).withdrawals += 1
        self._no_holds_of(event, account)
        live, stated = books.live.get(event.subject), event.arguments["consents"]
        if live is None:
            if stated:
                self._differs(event, "the consents left", f"{stated:b}", "0", account)
            return
        lost = live.consents & ~stated
        if lost.bit_count() > 1 or stated & ~live.consents:
            self._differs(event, "the consents left", f"{stated:b}", f"{live.consents:b}", account)
        live.consents = stated

    def _settled(self, event: Event) -> None:
        if event.subject not in self._books.posted:
            self._differs(event, "the legs", "settled", "none moved")
        self._books.posted.discard(event.subject)
        self._end(event, state.SETTLED)

    def _cancelled(self, event: Event) -> None:
        self._end(event, state.CANCELLED)

    def _not_settled(self, event: Event) -> None:
        """Leave everything as it was."""

    def _end(self, event: Event, outcome: int) -> None:
        values, books = event.arguments, self._books
        self._expect(event, state.LIVE if event.subject in books.live else state.OPEN)
        for hold in books.reservations(event.subject):
            self._differs(event, f"hold {hold.position}", "outlives its instruction", "ended")
        books.live.pop(event.subject, None)
        books.set_nonce(values["initiator"], values["nonce"], outcome)

    def _expect(self, event: Event, expected: int) -> None:
        initiator, nonce = event.arguments["initiator"], event.arguments["nonce"]
        found = self._books.nonce(initiator, nonce)
        if found != expected:
            self._findings.tell(
                event.place,
                Code.NONCE,
                f"nonce {nonce} before {event.name}",
                instruction=event.subject,
                account=initiator,
                stated=state.NONCE_NAMES[found],
                computed=state.NONCE_NAMES[expected],
            )

    def _no_holds_of(self, event: Event, account: bytes) -> None:
        for hold in self._books.reservations(event.subject):
            if hold.account == account:
                self._differs(event, f"hold {hold.position}", "live still", "ended", account)

    def _live(self, event: Event) -> LiveInstruction | None:
        live = self._books.live.get(event.subject)
        if live is None:
            self._differs(event, "the instruction", "live", "not live")
        return live

    def _differs(
        self,
        event: Event,
        fact: str,
        stated: object,
        computed: object,
        account: bytes | None = None,
    ) -> None:
        self._findings.tell(
            event.place,
            Code.IMPOSSIBLE,
            f"{fact} at {event.name}",
            instruction=event.subject,
            account=account,
            stated=stated,
            computed=computed,
        )
