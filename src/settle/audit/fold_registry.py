"""What each event of the registry does to the books, and whether it can be."""

from __future__ import annotations

from collections.abc import Callable

from settle.audit import books as state
from settle.audit.books import Books, Participant
from settle.audit.events import Event
from settle.audit.findings import Code, Findings


class RegistryFold:
    """Applies the events of Participants to `books`."""

    def __init__(self, books: Books, findings: Findings) -> None:
        """Start from these books."""
        self._books = books
        self._findings = findings
        self.by_name: dict[str, Callable[[Event], None]] = {
            "ParticipantAdmitted": self._admitted,
            "ParticipantStandingSet": self._standing_set,
            "AccountOpened": self._opened,
        }

    def _admitted(self, event: Event) -> None:
        values = event.arguments
        if values["lei"] in self._books.participants:
            self._impossible(event, "admitted", "admitted before")
        self._books.participants[values["lei"]] = Participant(
            state.ADMITTED, values["class"], values["bic"]
        )

    def _standing_set(self, event: Event) -> None:
        participant = self._books.participants.get(event.arguments["lei"])
        if participant is None:
            self._impossible(event, "known", "unknown")
            return
        participant.standing = event.arguments["standing"]

    def _opened(self, event: Event) -> None:
        lei, account = event.arguments["lei"], event.arguments["account"]
        participant = self._books.participants.get(lei)
        if participant is None:
            self._impossible(event, "known", "unknown")
            return
        if account in self._books.owners:
            self._impossible(event, "account opened", "opened before")
        self._books.owners[account] = lei
        participant.accounts.append(account)

    def _impossible(self, event: Event, stated: object, computed: object) -> None:
        lei = event.arguments["lei"].decode("ascii", "replace")
        self._findings.tell(
            event.place,
            Code.IMPOSSIBLE,
            f"participant {lei} at {event.name}",
            account=event.arguments.get("account"),
            stated=stated,
            computed=computed,
        )
