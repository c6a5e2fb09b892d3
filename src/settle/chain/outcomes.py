"""Reads from the chain how transactions ended: blocks decide, never the text of an answer."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.services.chain_rows import AttemptKind, AttemptRow, TransactionRow, TransactionState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from settle.chain.node import Header, Node, Receipt
    from settle.chain.profile import EngineProfile

UNFINISHED: Final = frozenset(
    {TransactionState.QUEUED, TransactionState.SENT, TransactionState.MINED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What the chain said at one head. `next_nonce`: how many transactions of the key it has.

    `rows`: those looked at that are not finished, as they stand now. `changed`: those of all looked
    at that stand otherwise than before.
    """

    head: Header
    next_nonce: int
    rows: Sequence[TransactionRow]
    changed: Sequence[TransactionRow]


class Outcomes:
    """Compares rows with the chain. Remembers only since when a mined nonce has no known owner."""

    def __init__(self, *, node: Node, profile: EngineProfile, clock: Callable[[], int]) -> None:
        """`clock` gives unix seconds."""
        self._node = node
        self._depth = profile.finality_depth
        self._patience_s = profile.sender.resend_after_s
        self._clock = clock
        self._ownerless: dict[int, int] = {}

    def look(
        self,
        sender: bytes,
        rows: Sequence[TransactionRow],
        attempts: Mapping[int, Sequence[AttemptRow]],
    ) -> Sighting:
        """Compare the sender's unfinished rows with the chain as it is now."""
        head = self._node.head()
        next_nonce = self._node.nonce(sender, head.number)
        final = head.number - self._depth
        mined = [row for row in rows if row.state is TransactionState.MINED]
        passed = [
            row
            for row in rows
            if row.state is not TransactionState.MINED and row.nonce < next_nonce
        ]
        now = {
            row.transaction_id: row
            for row in (
                *self._still_mined(mined, final, attempts),
                *self._found(sender, passed, final, attempts),
            )
        }
        after = [now.get(row.transaction_id, row) for row in rows]
        return Sighting(
            head=head,
            next_nonce=next_nonce,
            rows=[row for row in after if row.state in UNFINISHED],
            changed=[new for new, old in zip(after, rows, strict=True) if new != old],
        )

    def _still_mined(
        self,
        mined: Sequence[TransactionRow],
        final: int,
        attempts: Mapping[int, Sequence[AttemptRow]],
    ) -> list[TransactionRow]:
        """Finish what is final now; take back what a reorganisation took out of the chain."""
        numbers = sorted({row.block_number for row in mined if row.block_number is not None})
        headers = dict(zip(numbers, self._node.headers(numbers), strict=True))
        after: list[TransactionRow] = []
        for row in mined:
            assert row.block_number is not None, "a mined row has its block"
            header = headers[row.block_number]
            if header is None or header.hash != row.block_hash:
                after.append(_back_to_sent(row))
            elif row.block_number <= final:
                after.append(_finished(row, attempts))
        return after

    def _found(
        self,
        sender: bytes,
        passed: Sequence[TransactionRow],
        final: int,
        attempts: Mapping[int, Sequence[AttemptRow]],
    ) -> list[TransactionRow]:
        """Find out which attempt took each nonce that the chain has passed."""
        if not passed:
            self._ownerless.clear()
            return []
        hashes = [a.hash for row in passed for a in attempts.get(row.transaction_id, ())]
        receipts = dict(zip(hashes, self._node.receipts(hashes), strict=True))
        after: list[TransactionRow] = []
        ownerless: list[TransactionRow] = []
        for row in passed:
            found = [receipts[a.hash] for a in attempts.get(row.transaction_id, ())]
            receipt = next((r for r in found if r is not None), None)
            if receipt is None:
                ownerless.append(row)
                continue
            mined = _mined(row, receipt)
            final_now = receipt.block_number <= final
            after.append(_finished(mined, attempts) if final_now else mined)
        return after + self._displaced(sender, ownerless, final)

    def _displaced(
        self, sender: bytes, ownerless: Sequence[TransactionRow], final: int
    ) -> list[TransactionRow]:
        """Tell which nonces others took: final in the chain, and none of ours after some time.

        One look is not enough: the node may have changed its mind between two answers.
        """
        now = self._clock()
        seen = self._ownerless
        self._ownerless = {
            row.transaction_id: seen.get(row.transaction_id, now) for row in ownerless
        }
        late = [
            row
            for row in ownerless
            if now - self._ownerless[row.transaction_id] >= self._patience_s
        ]
        if not late or final < 0:
            return []
        final_nonce = self._node.nonce(sender, final)
        return [
            dataclasses.replace(row, state=TransactionState.DISPLACED)
            for row in late
            if row.nonce < final_nonce
        ]


def _mined(row: TransactionRow, receipt: Receipt) -> TransactionRow:
    return dataclasses.replace(
        row,
        state=TransactionState.MINED,
        attempt_hash=receipt.transaction_hash,
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        succeeded=receipt.succeeded,
        gas_used=receipt.gas_used,
    )


def _back_to_sent(row: TransactionRow) -> TransactionRow:
    return dataclasses.replace(
        row,
        state=TransactionState.SENT,
        attempt_hash=None,
        block_number=None,
        block_hash=None,
        succeeded=None,
        gas_used=None,
    )


def _finished(row: TransactionRow, attempts: Mapping[int, Sequence[AttemptRow]]) -> TransactionRow:
    kinds = {a.hash: a.kind for a in attempts.get(row.transaction_id, ())}
    if row.attempt_hash is not None and kinds.get(row.attempt_hash) is AttemptKind.NOOP:
        state = TransactionState.VOID
    elif row.succeeded:
        state = TransactionState.SUCCEEDED
    else:
        state = TransactionState.REVERTED
    return dataclasses.replace(row, state=state)
