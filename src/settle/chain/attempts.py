"""Decides when signed bytes go out (again) and when other bytes of the same nonce must be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.chain.eip712 import address_of
from settle.chain.signing import NOOP_GAS, UnsignedTransaction, sign_transaction
from settle.services.chain_rows import AttemptKind, AttemptRow, TransactionRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from settle.chain.outcomes import Sighting
    from settle.chain.profile import EngineProfile

_HOPELESS_AFTER: Final = 3  # looks in a row at which the node did not have what it was handed

_PASSED_BLOCKS: Final = 2  # mined since a node had the attempt, without it


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What has to go out.

    `hashes`: stored attempts, as they are. `bump`, `void`: rows that need a new attempt, the same
    call at a higher fee, or nothing at all.
    """

    hashes: Sequence[bytes] = ()
    bump: Sequence[TransactionRow] = ()
    void: Sequence[TransactionRow] = ()


class AttemptMaker:
    """Signs attempts of one key."""

    def __init__(self, *, profile: EngineProfile, key: bytes, clock: Callable[[], int]) -> None:
        """`clock` gives unix seconds."""
        self._profile = profile
        self._key = key
        self._address = address_of(key)
        self._clock = clock
        self._known_since: dict[bytes, int] = {}  # number of the head, by hash of the attempt
        self._in_vain: dict[bytes, int] = {}

    # ------------------------------------------------------------------------- making

    def first(self, row: TransactionRow, data: bytes, base_fee: int) -> tuple[AttemptRow, bytes]:
        """Sign a transaction for the first time."""
        fees = self._profile.fees
        offer = min(fees.cap_wei, self._wanted(base_fee))
        return self._make(row, AttemptKind.FIRST, data, offer, min(offer, fees.priority_wei))

    def bumped(
        self, row: TransactionRow, last: AttemptRow, kind: AttemptKind, data: bytes, base_fee: int
    ) -> tuple[AttemptRow, bytes] | None:
        """Sign another attempt that a node takes in place of the last; None where the cap forbids.

        Nodes want both fees raised; by how much is the engine's.
        """
        fees = self._profile.fees
        lowest = _raised(last.max_fee_per_gas, fees.bump_percent)
        offer = max(lowest, min(fees.cap_wei, self._wanted(base_fee)))
        if offer > fees.cap_wei:
            return None
        tip = max(_raised(last.max_priority_fee_per_gas, fees.bump_percent), fees.priority_wei)
        return self._make(row, kind, data, offer, min(offer, tip))

    def _wanted(self, base_fee: int) -> int:
        fees = self._profile.fees
        return base_fee * fees.base_fee_percent // 100 + fees.priority_wei

    def _make(
        self, row: TransactionRow, kind: AttemptKind, data: bytes, offer: int, tip: int
    ) -> tuple[AttemptRow, bytes]:
        noop = kind is AttemptKind.NOOP
        signed = sign_transaction(
            UnsignedTransaction(
                chain_id=self._profile.chain_id,
                nonce=row.nonce,
                max_priority_fee_per_gas=tip,
                max_fee_per_gas=offer,
                gas=NOOP_GAS if noop else row.gas,
                to=self._address if noop else row.to,
                data=b"" if noop else data,
            ),
            self._key,
        )
        attempt = AttemptRow(
            hash=signed.hash,
            transaction_id=row.transaction_id,
            kind=kind,
            max_fee_per_gas=offer,
            max_priority_fee_per_gas=tip,
            created_at=self._clock(),
        )
        return attempt, signed.raw

    # ----------------------------------------------------------------------- deciding

    def due(
        self,
        waiting: Sequence[TransactionRow],
        attempts: Mapping[int, Sequence[AttemptRow]],
        sighting: Sighting,
        knows: Callable[[Sequence[bytes]], Sequence[bool]],
    ) -> Due:
        """Decide for signed transactions that no block has. `knows` asks the node which it has."""
        now, patience_s = self._clock(), self._profile.sender.resend_after_s
        hashes: list[bytes] = []
        asked: list[tuple[TransactionRow, Sequence[AttemptRow]]] = []
        for row in waiting:
            made = attempts.get(row.transaction_id, ())
            if row.nonce < sighting.next_nonce:
                continue  # in a block by now; the next look finds it
            new = [a.hash for a in made if a.broadcast_at is None]
            hashes += new
            if not new and all(now - (a.broadcast_at or 0) >= patience_s for a in made):
                asked.append((row, made))
        every = [a.hash for _, made in asked for a in made]
        known = {h for h, known in zip(every, knows(every), strict=True) if known}
        self._remember(known, every, attempts, sighting.head.number)
        bump: list[TransactionRow] = []
        void: list[TransactionRow] = []
        for row, made in asked:
            hashes += [a.hash for a in made if a.hash not in known]
            if any(a.hash in known for a in made):
                if self._needs_more(row, made[-1], sighting):
                    bump.append(row)
            elif self._is_hopeless(row, made[-1], sighting):
                void.append(row)
        return Due(hashes=hashes, bump=bump, void=void)

    def _remember(
        self,
        known: set[bytes],
        every: Sequence[bytes],
        attempts: Mapping[int, Sequence[AttemptRow]],
        number: int,
    ) -> None:
        """Keep since when a node has an attempt, or how often it had not; of open ones only."""
        unfinished = {a.hash for made in attempts.values() for a in made}
        since = self._known_since | {h: self._known_since.get(h, number) for h in known}
        vain = self._in_vain | {h: 0 if h in known else self._in_vain.get(h, 0) + 1 for h in every}
        self._known_since = {h: n for h, n in since.items() if h in unfinished}
        self._in_vain = {h: n for h, n in vain.items() if h in unfinished}

    def _needs_more(self, row: TransactionRow, last: AttemptRow, sighting: Sighting) -> bool:
        """Whether blocks pass by a transaction that the node has."""
        if last.max_fee_per_gas < sighting.head.base_fee:
            return True
        waited_s = self._clock() - last.created_at
        blocks = sighting.head.number - self._known_since.get(last.hash, sighting.head.number)
        return (
            row.nonce == sighting.next_nonce
            and waited_s >= self._profile.sender.bump_after_s
            and blocks >= _PASSED_BLOCKS
        )

    def _is_hopeless(self, row: TransactionRow, last: AttemptRow, sighting: Sighting) -> bool:
        """Whether no node keeps it although its turn is now, so that all behind it would wait.

        Should it be mined after all, the empty transaction is not: both have one nonce.
        """
        if row.nonce != sighting.next_nonce or self._in_vain.get(last.hash, 0) < _HOPELESS_AFTER:
            return False
        return self._clock() - last.created_at >= self._profile.sender.hopeless_after_s


def _raised(fee: int, percent: int) -> int:
    return max(fee + 1, -(-fee * (100 + percent) // 100))
