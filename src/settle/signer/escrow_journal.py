"""The escrows that a participant signed, on its own disk before anybody else hears of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from settle.client.codec import read
from settle.client.escrows import EscrowMessage
from settle.domain.errors import Broken, InvalidInput, NotFound, Refused
from settle.domain.escrow.terms_json import terms_from_json, terms_to_json
from settle.domain.ids import parse_word, to_hex
from settle.services.escrow_rows import MessageKind

if TYPE_CHECKING:
    from settle.domain.escrow.terms import EscrowTerms

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS escrows (
    escrow BLOB PRIMARY KEY,
    reference TEXT NOT NULL,
    open_by INTEGER NOT NULL,
    written TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS escrow_bundles (escrow BLOB PRIMARY KEY, bundle TEXT NOT NULL);
"""
_Key = tuple[str, bytes, int, int]


def read_bundle(path: Path, escrow: bytes) -> tuple[EscrowMessage, ...]:
    """Read messages about an escrow from a file, as commands write them with `--json`.

    They come from somebody else and are not checked here: the contract is the judge of them.
    Raises: InvalidInput if it is no such file, or is about another escrow.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        about = parse_word(told["id"])
        found = tuple(read(EscrowMessage, one) for one in told["messages"])
        for one in found:
            MessageKind(one.kind)
    except (OSError, ValueError, KeyError, TypeError, Broken, InvalidInput) as error:
        message = f"{path} is no bundle: {type(error).__name__} {error}"
        raise InvalidInput("bundle_form", message) from error
    if about != escrow:
        raise InvalidInput("bundle_of_another", f"{path} is about {to_hex(about)}")
    return found


def newest(messages: Iterable[EscrowMessage]) -> tuple[EscrowMessage, ...]:
    """Of messages of one kind, author and place, leave the last."""
    return tuple(_by_key(messages).values())


class EscrowJournal:
    """Drafts by the reference in the participant's own document: one of each is live.

    Two drafts of one deal could both be opened, and would hold the value twice.
    """

    def __init__(self, path: Path) -> None:
        """Open the participant's journal, or make it with mode 0600."""
        if not path.exists():
            path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA busy_timeout = 5000")
        self._db.executescript(_TABLE)

    def __enter__(self) -> Self:
        """Use it as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def begin(
        self,
        escrow: bytes,
        reference: str,
        *,
        open_by: int,
        written: str,
        now: int,
        is_withdrawn: Callable[[bytes], bool],
    ) -> None:
        """Write down that a draft is about to be signed; the same one again changes nothing.

        `is_withdrawn` asks the chain. Raises: Refused `another_draft` where another draft under
        this reference was signed, is not withdrawn, and its time to open is not over.
        """
        with self._whole():
            rows = self._db.execute(
                "SELECT escrow FROM escrows WHERE reference = ? AND escrow <> ? AND open_by > ?",
                (reference, escrow, now),
            ).fetchall()
            live = [other for (other,) in rows if not is_withdrawn(other)]
            if live:
                message = (
                    f"you signed {to_hex(live[0])} under {reference!r}: withdraw it first, wait "
                    "until its time to open is over, or give another deal another reference"
                )
                raise Refused((), message, code="another_draft")
            self._db.execute(
                "INSERT OR IGNORE INTO escrows VALUES (?, ?, ?, ?)",
                (escrow, reference, open_by, written),
            )

    def keep(
        self, escrow: bytes, terms: EscrowTerms, messages: Sequence[EscrowMessage]
    ) -> tuple[EscrowMessage, ...]:
        """Keep terms and messages beside those that are here; the newer of two of one kind stays.

        What is kept opens and ends the escrow on the chain alone. Gives all that is kept.
        """
        with self._whole():
            found = self._bundle(escrow)
            kept: dict[_Key, EscrowMessage] = {} if found is None else _by_key(found[1])
            kept |= _by_key(messages)
            bundle = {
                "terms": terms_to_json(terms),
                "messages": [one.document() for one in kept.values()],
            }
            self._db.execute(
                "INSERT OR REPLACE INTO escrow_bundles VALUES (?, ?)", (escrow, json.dumps(bundle))
            )
        return tuple(kept.values())

    def bundle(self, escrow: bytes) -> tuple[EscrowTerms, tuple[EscrowMessage, ...]]:
        """Give terms and messages of an escrow. Raises: NotFound if none are kept."""
        found = self._bundle(escrow)
        if found is None:
            raise NotFound(f"the journal keeps no escrow {to_hex(escrow)}")
        return found

    def _bundle(self, escrow: bytes) -> tuple[EscrowTerms, tuple[EscrowMessage, ...]] | None:
        row = self._db.execute(
            "SELECT bundle FROM escrow_bundles WHERE escrow = ?", (escrow,)
        ).fetchone()
        if row is None:
            return None
        told = json.loads(row[0])
        messages = tuple(read(EscrowMessage, one) for one in told["messages"])
        return terms_from_json(told["terms"]), messages

    @contextmanager
    def _whole(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _by_key(messages: Iterable[EscrowMessage]) -> dict[_Key, EscrowMessage]:
    return {(one.kind, one.author, one.milestone, one.place): one for one in messages}
