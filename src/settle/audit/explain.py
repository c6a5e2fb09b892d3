"""Explains each event by a call, and each call by those who were allowed to make it.

The events of a transaction must be exactly those of the calls that entered the contracts in it, in
order. What no call explains is a finding; what cannot be seen is a finding of its own class.
"""

from __future__ import annotations

from typing import Final

from settle.audit.blocks import Block, Transaction
from settle.audit.calls import Call, CallReader, Creation, NoTrace
from settle.audit.code import Creations
from settle.audit.events import EventReader
from settle.audit.explain_affirming import ACTS, Affirming
from settle.audit.explain_authority import Administering
from settle.audit.explain_escrows import Escrowing
from settle.audit.explain_privileged import Privileged
from settle.audit.explain_settling import Settling
from settle.audit.findings import Code, Place
from settle.audit.published import AFFIRMATION, APPROVER, ESCROW, MANAGER, PARTICIPANTS, SETTLEMENT
from settle.audit.stage import Stage, unexplained

_SETTLES: Final = frozenset(("settle", "settleMany"))


class Explainer:
    """Goes through blocks in order and changes the stage's books by what it explains."""

    def __init__(
        self, stage: Stage, reader: EventReader, calls: CallReader, creations: Creations
    ) -> None:
        """Work on `stage`."""
        self._stage = stage
        self._reader = reader
        self._calls = calls
        self._creations = creations
        self._settling = Settling(stage)
        self._affirming = Affirming(stage)
        self._escrowing = Escrowing(stage)
        self._privileged = Privileged(stage)
        self._administering = Administering(stage, self._explain)

    @property
    def instructions(self) -> int:
        """Settled instructions so far."""
        return self._settling.instructions

    def block(self, block: Block) -> None:
        """Explain every transaction of a block that concerns the contracts."""
        for transaction in block.transactions:
            if transaction.succeeded:
                self._transaction(
                    transaction, Place(block.number, block.timestamp, transaction.hash)
                )

    def _transaction(self, transaction: Transaction, place: Place) -> None:
        stage = self._stage
        stage.stream = self._reader.read(transaction, place)
        if not stage.stream and not {transaction.to, transaction.created} & stage.kinds.keys():
            return
        try:
            entered = self._calls.entered(transaction, place)
        except NoTrace as error:
            unexplained(stage, Code.CALL_UNEVIDENCED, stated=str(error))
        else:
            for act in entered:
                if isinstance(act, Creation):
                    self._created(act)
                else:
                    self._explain(act)
            unexplained(stage, Code.UNEXPLAINED)
        stage.fold.close()

    def _created(self, creation: Creation) -> None:
        """Check what created a contract of ours, and take what its constructor said."""
        self._creations.check(creation)
        approver = self._stage.authority.approvers.get(creation.target)
        if approver is not None:
            approver.signers = self._creations.signers.get(creation.target, ())
        stream = self._stage.stream
        while stream and stream[0].address == creation.target:
            event = stream[0]
            if event.name not in {"RoleGranted", "AuthorityUpdated"}:
                return
            stream.popleft()
            self._stage.fold.apply(event)

    def _explain(self, call: Call) -> None:
        stage = self._stage
        kind = stage.kinds[call.target]
        function = stage.published[kind].functions.get(call.data[:4])
        if function is not None and function.name in stage.published[kind].views:
            return
        read = stage.arguments(call)
        if read is None:
            return
        name, arguments = read
        if kind == SETTLEMENT and name == "settle":
            self._settling.settle(call, arguments)
        elif kind == SETTLEMENT and name == "settleMany":
            self._settling.settle_many(call, arguments)
        elif kind == SETTLEMENT and name in ACTS:
            self._affirming.explain(name, call, arguments)
        else:
            handlers = {
                SETTLEMENT: self._privileged.ledger | self._escrowing.by_name,
                PARTICIPANTS: self._privileged.registry,
                MANAGER: self._administering.manager,
                APPROVER: self._administering.approver,
                AFFIRMATION: {},
                ESCROW: {},
            }[kind]
            handler = handlers.get(name)
            if handler is None:
                stage.findings.tell(
                    call.place, Code.CALL_UNREADABLE, f"{name} of {kind}", account=call.target
                )
            else:
                handler(call, arguments)
