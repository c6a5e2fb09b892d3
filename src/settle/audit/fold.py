"""Sends each event to what it changes, and looks at a transaction as a whole when it is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from settle.audit.books import Books
from settle.audit.deployment import Deployment
from settle.audit.events import Event
from settle.audit.findings import Code, Findings
from settle.audit.fold_authority import AuthorityFold
from settle.audit.fold_escrows import EscrowFold
from settle.audit.fold_instructions import InstructionFold
from settle.audit.fold_ledger import LedgerFold
from settle.audit.fold_registry import RegistryFold
from settle.audit.published import AFFIRMATION, APPROVER, ESCROW, MANAGER, PARTICIPANTS, SETTLEMENT

ENDS: Final = frozenset(("InstructionSettled", "InstructionCancelled"))


class Fold:
    """Applies events of known contracts. `kinds`: which contract lies at an address.

    `ended` collects the events that ended instructions; whoever reads it clears it.
    """

    def __init__(
        self,
        books: Books,
        authority: AuthorityFold,
        deployment: Deployment,
        kinds: dict[bytes, str],
        findings: Findings,
    ) -> None:
        """Change these books and this authority."""
        self._ledger = LedgerFold(books, findings)
        self._instructions = InstructionFold(books, findings)
        self._escrows = EscrowFold(books, self._ledger, findings)
        self._authority = authority
        self._manager = deployment.manager
        self._kinds = kinds
        self._findings = findings
        self._last: Event | None = None
        updated: dict[str, Callable[[Event], None]] = {"AuthorityUpdated": self._authority_updated}
        registry = RegistryFold(books, findings)
        self._handlers: dict[str, dict[str, Callable[[Event], None]]] = {
            SETTLEMENT: (
                self._ledger.by_name | self._instructions.by_name | self._escrows.by_name | updated
            ),
            AFFIRMATION: updated,
            ESCROW: updated,
            PARTICIPANTS: registry.by_name | updated,
            MANAGER: authority.by_name,
            APPROVER: authority.by_name,
        }
        self.events = 0
        self.ended: list[Event] = []

    def apply(self, event: Event) -> None:
        """Apply one event."""
        self.events += 1
        self._last = event
        if event.name in ENDS:
            self.ended.append(event)
        kind = self._kinds[event.address]
        handler = self._handlers[kind].get(event.name)
        if handler is None:
            self._findings.tell(
                event.place,
                Code.IMPOSSIBLE,
                f"{event.name} of {kind}",
                account=event.address,
            )
            return
        if kind not in {MANAGER, AFFIRMATION, ESCROW} and event.name != "AuthorityUpdated":
            self._authority.in_use(event)
        handler(event)

    def close(self) -> None:
        """End a transaction."""
        self._ledger.balance(self._last)
        self._instructions.balance(self._last)
        self._escrows.balance(self._last)
        self._last = None

    def _authority_updated(self, event: Event) -> None:
        authority = event.arguments["authority"]
        if authority != self._manager:
            self._findings.tell(
                event.place,
                Code.AUTHORITY,
                f"authority of {self._kinds[event.address]}",
                account=event.address,
                stated=authority,
                computed=self._manager,
            )
