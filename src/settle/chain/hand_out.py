"""Stores signed bytes and hands them to the node, again where due, others where needed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from settle.chain.key_watch import STUCK
from settle.services.chain_rows import AttemptKind, AttemptRow, TransactionRow, TransactionState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from settle.chain.attempts import AttemptMaker, Due
    from settle.chain.key_watch import KeyWatch, SendingStore
    from settle.chain.lease import HeldLease
    from settle.chain.node import Node
    from settle.chain.outcomes import Sighting
    from settle.chain.profile import EngineProfile
    from settle.services.ports import Transactions


class HandOut:
    """The broadcasting half of a sender. Only stored bytes ever leave."""

    def __init__(
        self,
        *,
        database: Transactions,
        store: SendingStore,
        node: Node,
        profile: EngineProfile,
        lease: HeldLease,
        watch: KeyWatch,
        maker: AttemptMaker,
        sender: bytes,
        clock: Callable[[], int],
        at: Callable[[str], None],
    ) -> None:
        """Work for `sender`, as the holder of `lease`."""
        self._database = database
        self._store = store
        self._node = node
        self._profile = profile
        self._lease = lease
        self._watch = watch
        self._maker = maker
        self._sender = sender
        self._clock = clock
        self._at = at
        self._refusals: dict[bytes, str] = {}  # by attempt; for people only, they decide nothing

    def keep(
        self, signed: Sequence[tuple[AttemptRow, bytes]], fresh: Sequence[TransactionRow] = ()
    ) -> None:
        """Write signed attempts; `fresh` transactions count as sent from now on."""
        with self._database.transaction() as conn:
            self._lease.prove(conn)
            self._store.add_attempts(conn, signed)
            self._store.update_transactions(conn, [_sent(row) for row in fresh])
            self._at("before attempt commit")
        self._at("attempt committed")

    def _replace(
        self, again: Due, attempts: Mapping[int, Sequence[AttemptRow]], sighting: Sighting
    ) -> list[tuple[AttemptRow, bytes]]:
        """Make new attempts of old nonces: a better offer, or nothing where nothing else helps."""
        if not again.bump and not again.void:
            return []
        with self._database.reading() as conn:
            data = self._store.call_data(conn, [row.transaction_id for row in again.bump])
        made: list[tuple[AttemptRow, bytes]] = []
        stuck: list[str] = []
        for row in (*again.bump, *again.void):
            last = attempts[row.transaction_id][-1]
            stays_noop = last.kind is AttemptKind.NOOP or row in again.void
            kind = AttemptKind.NOOP if stays_noop else AttemptKind.REPLACEMENT
            call = b"" if stays_noop else data[row.transaction_id]
            attempt = self._maker.bumped(row, last, kind, call, sighting.head.base_fee)
            if attempt is not None:
                made.append(attempt)
            if row in again.void or attempt is None:
                stuck.append(self._why_stuck(row, attempts[row.transaction_id], attempt))
        if stuck:
            with self._database.transaction() as conn:
                self._lease.prove(conn)
                self._watch.alarm(conn, STUCK, " ".join(stuck))
        if made:
            self._at("replacement signed")
            self.keep(made)
        return made

    def _why_stuck(self, row: TransactionRow, made: Sequence[AttemptRow], attempt: object) -> str:
        words = [self._refusals[a.hash] for a in made if a.hash in self._refusals]
        if attempt is None:
            cap = self._profile.fees.cap_wei
            return f"nonce {row.nonce} of 0x{self._sender.hex()} needs more than {cap} wei a gas"
        return (
            f"no node takes nonce {row.nonce} of 0x{self._sender.hex()} ({row.purpose}), the last "
            f"word was: {words[-1] if words else 'none'}. An empty transaction takes its place."
        )

    def hand_out(
        self,
        waiting: Sequence[TransactionRow],
        attempts: Mapping[int, Sequence[AttemptRow]],
        signed: Sequence[tuple[AttemptRow, bytes]],
        sighting: Sighting,
    ) -> int:
        """Broadcast what is new, what no node seems to have, and what needs a better offer."""
        unfinished = {attempt.hash for made in attempts.values() for attempt in made}
        self._refusals = {h: word for h, word in self._refusals.items() if h in unfinished}
        again = self._maker.due(waiting, attempts, sighting, self._node.knows)
        replacements = self._replace(again, attempts, sighting)
        with self._database.reading() as conn:
            old = self._store.signed_bytes(conn, again.hashes)
        outgoing = [(h, old[h]) for h in again.hashes]
        outgoing += [(attempt.hash, raw) for attempt, raw in (*signed, *replacements)]
        if not outgoing:
            return 0
        self._at("before broadcast")
        refusals = self._node.broadcast([raw for _, raw in outgoing])
        self._at("after broadcast")
        for (hash_, _), refusal in zip(outgoing, refusals, strict=True):
            if refusal is not None:
                self._refusals[hash_] = refusal.message
        with self._database.transaction() as conn:
            self._lease.prove(conn)
            self._store.note_broadcasts(conn, [h for h, _ in outgoing], self._clock())
        self._at("broadcast noted")
        return len(outgoing)


def _sent(row: TransactionRow) -> TransactionRow:
    return dataclasses.replace(row, state=TransactionState.SENT)
