"""Compares the operator's database with what the chain gave."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from settle.audit import wire
from settle.audit.blocks import Block
from settle.audit.books import NOTHING, Books
from settle.audit.database import DatabaseCursor, OperatorDatabase
from settle.audit.events import Event
from settle.audit.findings import Code, Finding, Findings
from settle.audit.published import APPROVER, PARTICIPANTS, SETTLEMENT, Published
from settle.audit.terms import Instruction, Leg
from settle.audit.typed_data import Digests

K = TypeVar("K", bound=Hashable)
FOLLOWED: Final = frozenset((SETTLEMENT, PARTICIPANTS, APPROVER))
"""Contracts whose events the operator keeps."""
_OUTCOMES: Final = {"InstructionSettled": "settled", "InstructionCancelled": "cancelled"}
_UNKNOWN: Final = "unknown"


class DatabaseCheck:
    """One comparison. `first`: the block with which the followed ones begin."""

    def __init__(
        self,
        database: OperatorDatabase,
        cursor: DatabaseCursor,
        first: int,
        kinds: Mapping[bytes, str],
        contracts: dict[str, Published],
        findings: Findings,
    ) -> None:
        """Compare the snapshot that stands at `cursor`."""
        self._database = database
        self.cursor = cursor
        self._first = first
        self._events = {
            address: {topic: one.name for topic, one in contracts[kind].events.items()}
            for address, kind in kinds.items()
            if kind in FOLLOWED
        }
        self._findings = findings

    # ------------------------------------------------------------------------ ranges

    def blocks(self, blocks: Sequence[Block]) -> None:
        """Compare blocks with their events and outcomes, as far as the database follows them."""
        mine = [b for b in blocks if self._first <= b.number <= self.cursor.number]
        if not mine:
            return
        first, last = mine[0].number, mine[-1].number
        self._compare(
            "blocks",
            ((row[0], row[1:]) for row in self._database.blocks(first, last)),
            {b.number: (b.hash, b.parent_hash, b.timestamp) for b in mine},
            lambda number, _: {"block": number},
        )
        self._compare(
            "chain_events",
            self._database.events(first, last),
            {key: row for block in mine for key, row in self._rows_of(block)},
            lambda key, row: {"block": key[0], "log_index": key[1], "transaction": row[0]},
        )

    def outcomes(self, first: int, last: int, ended: Iterable[Event]) -> None:
        """Compare the outcomes of a range with the events that ended instructions in it."""
        first, last = max(first, self._first), min(last, self.cursor.number)
        if first > last:
            return
        computed = {
            event.subject: (
                _OUTCOMES[event.name],
                event.arguments["initiator"],
                event.arguments["nonce"],
                event.place.block,
                event.place.transaction,
                event.place.log_index,
            )
            for event in ended
            if event.place.block <= last
        }
        self._compare(
            "outcomes",
            self._database.outcomes(first, last),
            computed,
            lambda identity, row: {
                "instruction": identity,
                "block": row[3],
                "transaction": row[4],
                "log_index": row[5],
            },
        )

    def _rows_of(self, block: Block) -> Iterable[tuple[tuple[int, int], tuple[Any, ...]]]:
        for transaction in block.transactions:
            for log in transaction.logs:
                names = self._events.get(log.address)
                if names is None:
                    continue
                name = names.get(log.topics[0], _UNKNOWN) if log.topics else _UNKNOWN
                yield (
                    (block.number, log.index),
                    (
                        transaction.hash,
                        block.hash,
                        log.address,
                        b"".join(log.topics),
                        log.data,
                        name,
                    ),
                )

    # ------------------------------------------------------------------------ state

    def state(self, block: Block, books: Books) -> None:
        """Compare what the database derived with the books at the block where it stands."""
        if self.cursor.hash != block.hash:
            self._findings.add(
                Finding(
                    code=Code.DATABASE_CURSOR,
                    fact="the newest block of the database",
                    block=block.number,
                    stated=self.cursor.hash,
                    computed=block.hash,
                )
            )
        number = block.number
        self._compare(
            "holdings",
            self._database.holdings(),
            books.holdings,
            lambda key, _: {"block": number, "account": key[0], "asset": key[1]},
            empty=NOTHING,
        )
        self._compare(
            "supplies",
            self._database.supplies(),
            {asset: entry.supply for asset, entry in books.assets.items()},
            lambda asset, _: {"block": number, "asset": asset},
            empty=0,
        )
        self._compare(
            "assets",
            self._database.assets(),
            {
                asset: (
                    *(entry.class_, entry.decimals, int(entry.frozen)),
                    *(entry.code.rstrip(b"\0").decode("ascii", "replace"), entry.issuer),
                )
                for asset, entry in books.assets.items()
            },
            lambda asset, _: {"block": number, "asset": asset},
        )
        self._compare(
            "chain_accounts",
            self._database.accounts(),
            {
                account: (entry.standing, int(entry.frozen), entry.class_)
                for account, entry in books.accounts.items()
            },
            lambda account, _: {"block": number, "account": account},
            empty=(0, 0, 0),
        )
        self._compare(
            "escrow_states",
            self._database.escrows(),
            {
                identity: (entry.withdrawn, entry.record())
                for identity, entry in books.escrows.items()
            },
            lambda identity, _: {"block": number, "instruction": identity},
        )
        self._compare(
            "recorded",
            self._database.recorded(),
            dict.fromkeys(books.recorded, True),
            lambda identity, _: {"block": number, "instruction": identity},
        )

    def outside(self) -> None:
        """Tell rows that speak of blocks which the database does not follow."""
        for table, column in (
            ("blocks", "number"),
            ("chain_events", "block_number"),
            ("outcomes", "block_number"),
        ):
            found = self._database.outside(table, column, self._first, self.cursor.number)
            for number in sorted(set(found)):
                fact = f"{table}: a row of a block that is not followed"
                self._findings.add(
                    Finding(code=Code.DATABASE_ADDED, fact=fact, block=number, stated=number)
                )

    # ------------------------------------------------------------------------ trades

    def trades(self, digests: Digests) -> None:
        """Hold trades against their terms, and against outcomes, which are compared above."""
        for row in self._database.contradictions(self.cursor.final_number):
            trade, status, digest, transaction, block, outcome, settled_in, settled_at = row
            self._findings.add(
                Finding(
                    code=Code.DATABASE_DIFFERS,
                    fact=f"trades: trade {trade} against the outcome of its instruction",
                    block=settled_at or block,
                    transaction=settled_in or transaction,
                    instruction=digest,
                    stated=(status, transaction or "no transaction", block or "no block"),
                    computed="no outcome" if outcome is None else (outcome, settled_in, settled_at),
                )
            )
        for trade, digest, transaction, block, document in self._database.settled_trades():
            try:
                computed: object = digests.instruction(_terms(json.loads(document)))
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
                computed = f"unreadable: {error!r}"
            if digest != computed:
                self._findings.add(
                    Finding(
                        code=Code.DATABASE_DIFFERS,
                        fact=f"trades: digest of the terms of trade {trade}",
                        block=block,
                        transaction=transaction,
                        instruction=digest,
                        stated=digest,
                        computed=computed,
                    )
                )

    # ------------------------------------------------------------------------ comparing

    def _compare(
        self,
        table: str,
        stored: Iterable[tuple[K, Any]],
        computed: Mapping[K, Any],
        place: Callable[[K, Any], dict[str, Any]],
        empty: object = None,
    ) -> None:
        """Tell rows that lack, that are too many or twice, and that differ.

        A row that says `empty` is as good as none.
        """
        seen: set[K] = set()
        for key, row in stored:
            expected = computed.get(key)
            if key in seen:
                self._tell(Code.DATABASE_ADDED, f"{table}: a row twice", row, None, place(key, row))
            elif expected is None:
                if row != empty:
                    self._tell(Code.DATABASE_ADDED, f"{table}: a row", row, None, place(key, row))
            elif row != expected:
                where = place(key, expected)
                self._tell(Code.DATABASE_DIFFERS, f"{table}: a row", row, expected, where)
            seen.add(key)
        for key, expected in computed.items():
            if key not in seen and expected != empty:
                where = place(key, expected)
                self._tell(Code.DATABASE_MISSING, f"{table}: a row", None, expected, where)

    def _tell(
        self, code: Code, fact: str, stated: object, computed: object, place: dict[str, Any]
    ) -> None:
        self._findings.add(
            Finding(
                code=code,
                fact=fact,
                stated="no row" if stated is None else stated,
                computed="no row" if computed is None else computed,
                **place,
            )
        )


def _terms(told: dict[str, Any]) -> Instruction:
    """Read the terms as the operator writes them: numbers as text, bytes as 0x and hexadecimal."""
    words = {
        name: wire.data(told[name], 32) for name in ("cycle", "predecessor", "trade_ref", "terms")
    }
    return Instruction(
        initiator=wire.data(told["initiator"], 20),
        nonce=int(told["nonce"]),
        settle_from=int(told["settle_from"]),
        settle_by=int(told["settle_by"]),
        options=int(told["options"]),
        minimum_lot=int(told["minimum_lot"]),
        **words,
        legs=tuple(
            Leg(
                int(leg["asset"]),
                wire.data(leg["deliverer"], 20),
                wire.data(leg["receiver"], 20),
                int(leg["quantity"]),
            )
            for leg in told["legs"]
        ),
    )
