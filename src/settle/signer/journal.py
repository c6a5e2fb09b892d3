"""What a participant instructed and signed, on its own disk, before anybody else hears of it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from settle.domain.errors import Conflict, NotFound, Refused
from settle.domain.ids import Address, InstructionId, to_hex
from settle.domain.instruction_json import from_json, to_json
from settle.domain.side import TradeSide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from settle.domain.instruction import Instruction

_BYTES: Final = ("account", "counterparty_account", "trade_ref", "terms")
_MEMBERS: Final = tuple(field.name for field in fields(TradeSide))
_DATES: Final = ("trade_date", "settlement_date")

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS nonces (account BLOB PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sides (reference TEXT PRIMARY KEY, side TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS signed (
    digest BLOB NOT NULL,
    reference TEXT NOT NULL REFERENCES sides,
    instruction TEXT NOT NULL,
    signature BLOB NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (digest, reference)
);
CREATE UNIQUE INDEX IF NOT EXISTS one_live_digest ON signed (reference) WHERE retired = 0;
CREATE TABLE IF NOT EXISTS bundles (digest BLOB PRIMARY KEY, signatures TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A signature over terms, for the side under `reference`."""

    reference: str
    digest: InstructionId
    terms: Instruction
    signature: bytes


class Journal:
    """One participant's file. Every method is one transaction that is on disk when it returns.

    At most one digest per reference is live: the database itself refuses a second one, until the
    first is retired because its nonce was cancelled in a final block. Who stands on both ends of a
    trade, for two entities, has a reference and a signature for each.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it with mode 0600."""
        if not path.exists():
            path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("PRAGMA busy_timeout = 5000")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def next_nonces(self, account: Address, count: int = 1) -> range:
        """Take nonces of the account, dense and never given twice, whatever is killed when."""
        row = self._db.execute(
            "INSERT INTO nonces (account, next) VALUES (?, ?) "
            "ON CONFLICT (account) DO UPDATE SET next = next + excluded.next RETURNING next",
            (account, count),
        ).fetchone()
        return range(row[0] - count, row[0])

    def instruct(self, sides: Sequence[TradeSide]) -> tuple[str, ...]:
        """Remember sides before they are submitted; gives the references that are new.

        Raises: Conflict `duplicate_reference` for another side under a known reference.
        """
        new = []
        with _transaction(self._db):
            for side in sides:
                text, known = _side_to_text(side), self._side_text(side.reference)
                if known is None:
                    self._db.execute("INSERT INTO sides VALUES (?, ?)", (side.reference, text))
                    new.append(side.reference)
                elif known != text:
                    message = f"{side.reference!r} is the reference of another side"
                    raise Conflict("duplicate_reference", message)
        return tuple(new)

    def forget(self, references: Sequence[str]) -> None:
        """Forget sides that the venue refused, but none of which a signature may be elsewhere."""
        with _transaction(self._db):
            self._db.executemany(
                "DELETE FROM sides WHERE reference = ?1 "
                "AND ?1 NOT IN (SELECT reference FROM signed)",
                [(reference,) for reference in references],
            )

    def instructed(self, reference: str) -> TradeSide:
        """Give the side of a reference. Raises NotFound."""
        text = self._side_text(reference)
        if text is None:
            raise NotFound(f"nothing was instructed under {reference!r}")
        return _side_from_text(text)

    def record(self, consents: Sequence[Consent]) -> dict[str, Refused]:
        """Remember signatures before they are given away; the same ones again change nothing.

        Gives a refusal `signed_before` for each reference of which another digest is live: that
        signature is not remembered and must not be given away.
        """
        refused = {}
        with _transaction(self._db):
            for one in consents:
                live = self._live_digest(one.reference)
                if live is None:
                    text = json.dumps(to_json(one.terms))
                    row = (one.digest, one.reference, text, one.signature)
                    self._db.execute(
                        "INSERT INTO signed (digest, reference, instruction, signature) "
                        "VALUES (?, ?, ?, ?)",
                        row,
                    )
                elif live != one.digest:
                    refused[one.reference] = _signed_before(one.reference, live)
        return refused

    def _live_digest(self, reference: str) -> bytes | None:
        row = self._db.execute(
            "SELECT digest FROM signed WHERE reference = ? AND retired = 0", (reference,)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def retire(self, digest: InstructionId) -> None:
        """Note that the nonce of a signed digest is cancelled in a final block."""
        self._db.execute("UPDATE signed SET retired = 1 WHERE digest = ?", (digest,))

    def signed_terms(self, reference: str) -> tuple[InstructionId, Instruction]:
        """Give the live signed terms of a trade. Raises NotFound."""
        row = self._db.execute(
            "SELECT digest, instruction FROM signed WHERE reference = ? AND retired = 0",
            (reference,),
        ).fetchone()
        if row is None:
            raise NotFound(f"nothing is signed under {reference!r}")
        return InstructionId(row[0]), from_json(json.loads(row[1]))

    def keep_bundle(self, digest: InstructionId, signatures: Sequence[bytes]) -> None:
        """Keep all signatures of a trade: with them no operator is needed."""
        text = json.dumps([to_hex(signature) for signature in signatures])
        self._db.execute("INSERT OR REPLACE INTO bundles VALUES (?, ?)", (digest, text))

    def bundle(self, digest: InstructionId) -> tuple[bytes, ...]:
        """Give all signatures in the order of the accounts. Raises NotFound if not complete yet."""
        row = self._db.execute(
            "SELECT signatures FROM bundles WHERE digest = ?", (digest,)
        ).fetchone()
        if row is None:
            raise NotFound(f"the signatures of {to_hex(digest)} are not complete here")
        return tuple(bytes.fromhex(text[2:]) for text in json.loads(row[0]))

    def without_bundle(self) -> tuple[InstructionId, ...]:
        """Name the live signed digests whose bundle is still to be fetched."""
        rows = self._db.execute(
            "SELECT DISTINCT digest FROM signed WHERE retired = 0 "
            "AND digest NOT IN (SELECT digest FROM bundles)"
        )
        return tuple(InstructionId(row[0]) for row in rows)

    def _side_text(self, reference: str) -> str | None:
        row = self._db.execute(
            "SELECT side FROM sides WHERE reference = ?", (reference,)
        ).fetchone()
        return None if row is None else str(row[0])


class _transaction:  # noqa: N801  used as a statement
    """Begin at once, so that two processes cannot both read before either writes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def _signed_before(reference: str, live: bytes) -> Refused:
    message = (
        f"{reference!r} was signed as {to_hex(live)}: another digest is signed only when that "
        "one's nonce is cancelled in a final block"
    )
    return Refused((), message, code="signed_before")


def _side_to_text(side: TradeSide) -> str:
    document = {name: getattr(side, name) for name in _MEMBERS}
    for name in _BYTES:
        if document[name] is not None:
            document[name] = to_hex(document[name])
    for name in _DATES:
        document[name] = document[name].isoformat()
    return json.dumps(document, sort_keys=True)


def _side_from_text(text: str) -> TradeSide:
    document: dict[str, Any] = json.loads(text)
    for name in _BYTES:
        if document[name] is not None:
            document[name] = bytes.fromhex(document[name][2:])
    for name in _DATES:
        document[name] = date.fromisoformat(document[name])
    return TradeSide(**{name: document[name] for name in _MEMBERS})
