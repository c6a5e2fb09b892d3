"""An escrow taken further on the chain by one of its people: no operator, no API.

What is needed is the kept bundle (terms and signed messages), a node and the deployment file. The
record of the escrow is folded from the chain's own events; which acts are worth trying is decided
by the same rule as the operator's, and the contract has the last word.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from settle.chain.contracts import SettlementContract
from settle.chain.deployment import check_deployment
from settle.chain.direct import Order
from settle.chain.events import EventDecoder
from settle.domain.errors import Refused
from settle.domain.escrow.events import EscrowConsentWithdrawn, EscrowEvent
from settle.domain.escrow.state import advance_record
from settle.domain.escrow.terms import escrow_id, signers_of
from settle.domain.ids import Address, Lei, to_hex
from settle.services.escrow_acts import possible_acts
from settle.services.escrow_calls import EscrowCall
from settle.services.escrow_rows import EscrowRow, EscrowStatus, MessageKind, MessageRow
from settle.signer.alone import Done, gas_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.chain.deployment import Deployment
    from settle.chain.direct import DirectSender
    from settle.client.escrows import EscrowMessage
    from settle.domain.escrow.state import EscrowRecord
    from settle.domain.escrow.terms import EscrowId, EscrowTerms

_RANGE: Final = 500
_CALLER: Final = b""
"""In place of a signature: the account itself calls."""


class AloneOnEscrow:
    """One account and the chain."""

    def __init__(self, *, deployment: Deployment, direct: DirectSender) -> None:
        """`direct` sends with the account's key."""
        self._deployment, self._direct, self._node = deployment, direct, direct.node
        self._contract = SettlementContract(deployment.settlement)

    def record(self, terms: EscrowTerms) -> EscrowRecord | None:
        """Fold the escrow's events up to the newest block; None: not opened."""
        wanted = escrow_id(terms, self._deployment.domain)
        decoder, found = EventDecoder("Settlement"), None
        head = self._node.head().number
        for first in range(self._deployment.block, head + 1, _RANGE):
            last = min(first + _RANGE - 1, head)
            for log in self._node.logs(first, last, [self._contract.address]):
                event = decoder.decode(b"".join(log.topics), log.data)
                if not isinstance(event, EscrowEvent) or event.id != wanted:
                    continue
                if not isinstance(event, EscrowConsentWithdrawn):  # it never opened
                    header = self._node.header(log.block_number)
                    assert header is not None, "the node told of an event in this block"
                    found = advance_record(found, event, now=header.timestamp)
        return found

    def act(self, terms: EscrowTerms, messages: Sequence[EscrowMessage]) -> Done:
        """Do the next thing that the contract lets through now, and wait until it is final.

        Raises: Refused with what the contract says to the last act that was tried, or that there
        is nothing to do; Broken if the node's chain is not that of the deployment.
        """
        check_deployment(self._deployment, self._node)
        record = self.record(terms)
        identity = escrow_id(terms, self._deployment.domain)
        rows = [_row(identity, one) for one in messages]
        row = _escrow(identity, terms, rows)
        refused: Refused | None = None
        now = max(int(time.time()), self._node.head().timestamp)
        for call in possible_acts(row, record, rows, now):
            try:
                return self._try(call)
            except Refused as error:
                refused = error
        raise refused or Refused((), "nothing can be done now", code="nothing_to_do")

    def give_up(self, terms: EscrowTerms) -> Done:
        """Send payments that wait behind another's freeze back to those who gave, this account too.

        It undoes what was decided, so it is done only where it is asked for. Raises: Refused with
        what the contract says, or that no payments wait.
        """
        check_deployment(self._deployment, self._node)
        record = self.record(terms)
        refused: Refused | None = None
        for number, one in enumerate(() if record is None else record.milestones):
            if not one.waits:
                continue
            call = EscrowCall(
                escrow=escrow_id(terms, self._deployment.domain),
                function="giveUpPayments",
                terms=terms,
                arguments=(number, list(one.paid)),
            )
            try:
                return self._try(call)
            except Refused as error:
                refused = error
        raise refused or Refused((), "no payments wait", code="nothing_to_do")

    def withdraw(self, terms: EscrowTerms) -> Done:
        """Take the account's signature back, before the opening and for good."""
        check_deployment(self._deployment, self._node)
        call = EscrowCall(
            escrow=escrow_id(terms, self._deployment.domain),
            function="withdrawFromEscrow",
            terms=terms,
            arguments=(self._direct.address, _CALLER),
        )
        return self._try(call)

    def _try(self, call: EscrowCall) -> Done:
        """Send a call unless the contract refuses it. Raises: Refused, before it is sent."""
        data = self._contract.escrow(call.function, call.terms, *call.arguments)
        gas = gas_of(self._direct, self._contract.address, call.function, data)
        what = f"{call.function} of {to_hex(call.escrow)}"
        receipt = self._direct.send(Order(to=self._contract.address, data=data, gas=gas, what=what))
        return Done(
            verb=call.function,
            reference=to_hex(call.escrow),
            digest=call.escrow,  # type: ignore[arg-type]  # the digest of its terms
            transaction=receipt.transaction_hash,
            block=receipt.block_number,
            gas_used=receipt.gas_used,
        )


def _escrow(identity: EscrowId, terms: EscrowTerms, messages: Sequence[MessageRow]) -> EscrowRow:
    signed = {one.author for one in messages if one.kind is MessageKind.CONSENT}
    complete = signed >= set(signers_of(terms))
    return EscrowRow(
        escrow=identity,
        terms=terms,
        text="",
        status=EscrowStatus.SIGNED if complete else EscrowStatus.PROPOSED,
        proposed_by=Lei(""),
        reason="",
        wake_at=None,
        transaction_id=None,
        version=0,
        created_at=0,
        updated_at=0,
    )


def _row(identity: EscrowId, one: EscrowMessage) -> MessageRow:
    return MessageRow(
        escrow=identity,
        milestone=one.milestone,
        kind=MessageKind(one.kind),
        author=Address(one.author),
        place=one.place,
        content={
            "paid": [str(amount) for amount in one.paid],
            "data": to_hex(one.data),
            "valid_by": str(one.valid_by),
            "signature": to_hex(one.signature or b""),
        },
        created_at=one.created_at,
    )
