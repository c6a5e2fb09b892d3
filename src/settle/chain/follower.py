"""Follows the chain into the database: blocks, events, derived rows and cursor in one transaction.

Each block is checked against its parent. A reorganisation inside the engine's finality window is
rolled back and announced; a deeper one, another chain or lost final blocks stop the line with an
alarm: what was called final would have to be unsaid, and that is for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from settle.chain.blocks_read import Stretch, read_stretch
from settle.chain.derived import Derivation
from settle.chain.log_rows import LogReader, by_block, first_above
from settle.domain.errors import Broken
from settle.services.chain_calls import FinalHead
from settle.services.chain_rows import Alarm, BlockRow, Cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from settle.chain.deployment import Deployment
    from settle.chain.node import Header, Node
    from settle.chain.profile import EngineProfile
    from settle.domain.chain_events import Recorded
    from settle.services.ports import ChainListener, FollowerStore, Transactions

SUBJECT: Final = "follower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step did. `behind`: blocks that the chain has and the database not yet."""

    blocks: int = 0
    events: int = 0
    retracted: int = 0
    behind: int = 0

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.blocks or self.retracted or self.behind)


class Follower:
    """One follower per database; `step` is called by one thread."""

    def __init__(
        self,
        *,
        database: Transactions,
        store: FollowerStore,
        node: Node,
        deployment: Deployment,
        profile: EngineProfile,
        clock: Callable[[], int],
        listeners: Sequence[ChainListener] = (),
        at: Callable[[str], None] = lambda _step: None,
    ) -> None:
        """`clock` gives unix seconds. `at` is told each step boundary by name; tests end there."""
        self._database = database
        self._store = store
        self._node = node
        self._deployment = deployment
        self._depth = profile.finality_depth
        self._range = profile.log_range
        self._clock = clock
        self._listeners = listeners
        self._at = at
        self._reader = LogReader()
        approvers = (entry.address for entry in deployment.approvers.values())
        self._addresses = [deployment.settlement, deployment.participants, *approvers]

    def open(self) -> None:
        """Make sure that database, deployment and node speak of one chain.

        An empty database begins right before the deployment. Raises Broken, with an alarm.
        """
        genesis = self._node.header(0)
        found = b"" if genesis is None else genesis.hash
        if self._node.chain_id() != self._deployment.chain_id or found != (
            self._deployment.genesis_hash
        ):
            self._stop(
                "another_chain",
                f"the node's chain begins with block 0x{found.hex()}, the deployment's with "
                f"0x{self._deployment.genesis_hash.hex()}. Connect the node of the deployment's "
                "chain; if that chain is gone for good, deploy anew with an empty database.",
            )
        with self._database.transaction() as conn:
            cursor = self._store.cursor(conn)
            if cursor is None:
                self._begin(conn)
        if cursor is not None and cursor.genesis_hash != found:
            self._stop(
                "another_chain",
                f"the database follows the chain of block 0x{cursor.genesis_hash.hex()}, the node "
                f"has the one of 0x{found.hex()}. Use the database that belongs to this chain.",
            )

    def _begin(self, conn: Connection) -> None:
        number = max(0, self._deployment.block - 1)
        header = self._node.header(number)
        if header is None:
            raise Broken(f"the chain has no block {number}, before the deployment", code="chain")
        self._store.set_cursor(
            conn,
            Cursor(
                genesis_hash=self._deployment.genesis_hash,
                number=number,
                hash=header.hash,
                final_number=number,
            ),
        )

    def rebuild(self) -> None:
        """Forget all that came from the chain and begin again; what listeners wrote is theirs."""
        with self._database.transaction() as conn:
            self._store.forget_chain(conn)
            self._begin(conn)

    def step(self) -> Step:
        """Take in the next blocks, or take back those that the chain took back.

        Raises Unavailable (try again) or Broken (stopped, with an alarm that says how to go on).
        """
        with self._database.reading() as conn:
            cursor = self._store.cursor(conn)
        if cursor is None:
            raise Broken("the follower was not opened")
        head = self._node.head()
        if head.number < cursor.final_number:
            self._stop(
                "chain_went_back",
                f"the node's newest block is {head.number}, block {cursor.final_number} was final: "
                "the node lost blocks. Restore its data or let it catch up, then start again; "
                "nothing is lost here.",
            )
        if head.number <= cursor.number:
            return self._at_or_below(cursor, head)
        last = min(head.number, cursor.number + self._range)
        stretch = read_stretch(self._node, cursor, last, self._addresses)
        self._at("chain read")
        if stretch is None:
            return self._turn_back(cursor)
        return self._take_in(cursor, head, stretch)

    # ------------------------------------------------------------------------ forward

    def _take_in(self, cursor: Cursor, head: Header, stretch: Stretch) -> Step:
        newest = stretch.headers[-1]
        final = max(cursor.final_number, min(newest.number, head.number - self._depth))
        blocks = [_block_row(header, final) for header in stretch.headers]
        rows = [self._reader.row(log) for log in stretch.logs]
        events = list(self._reader.events(rows))
        now = self._clock()
        with self._database.transaction() as conn:
            if self._store.cursor(conn) != cursor:
                raise Broken("two followers write into one database")
            finished = self._finished_now(conn, cursor, final)
            self._store.add_blocks(conn, blocks, rows)
            self._at("blocks written")
            times = {block.number: block.timestamp for block in blocks}
            derivation = Derivation(conn, self._store, times)
            split = first_above(events, final)
            derivation.write(events[:split], undo_block=None)
            for number, of_block in by_block(events[split:]):
                derivation.write(of_block, undo_block=number)
            if final > cursor.final_number:
                self._store.mark_final(conn, final)
            self._at("derived written")
            for listener in self._listeners:
                if events:
                    listener.appeared(conn, events, at=now)
                if final > cursor.final_number:
                    listener.became_final(
                        conn, [*finished, *events[:split]], self._final_head(conn, final), at=now
                    )
            self._store.set_cursor(
                conn,
                Cursor(
                    genesis_hash=cursor.genesis_hash,
                    number=newest.number,
                    hash=newest.hash,
                    final_number=final,
                ),
            )
            self._at("before commit")
        self._at("committed")
        return Step(blocks=len(blocks), events=len(events), behind=head.number - newest.number)

    def _finished_now(self, conn: Connection, cursor: Cursor, final: int) -> list[Recorded]:
        """Events of blocks that were stored before and are final from now on."""
        last = min(final, cursor.number)
        if last <= cursor.final_number:
            return []
        return list(self._reader.events(self._store.logs(conn, cursor.final_number + 1, last)))

    def _final_head(self, conn: Connection, final: int) -> FinalHead:
        [block] = self._store.blocks(conn, final, final)
        return FinalHead(number=final, timestamp=block.timestamp)

    # ----------------------------------------------------------------------- backward

    def _at_or_below(self, cursor: Cursor, head: Header) -> Step:
        """Tell a node that is a little behind from a chain that turned."""
        if head.number == cursor.number:
            expected: bytes | None = cursor.hash
        else:
            with self._database.reading() as conn:
                expected = _hash_at(self._store.blocks(conn, head.number, head.number + 1), head)
        if expected is None or head.hash == expected:
            return Step()
        return self._turn_back(cursor)

    def _turn_back(self, cursor: Cursor) -> Step:
        """Go back to the newest block that the chain still has, announcing what is taken out."""
        with self._database.reading() as conn:
            stored = self._store.blocks(conn, cursor.final_number + 1, cursor.number)
        ancestor = self._ancestor(cursor, stored)
        if ancestor is None:
            self._stop(
                "deep_reorganisation",
                f"the chain no longer has the final block {cursor.final_number}: it was rewritten "
                f"deeper than the {self._depth} blocks that this engine may take back. Nothing was "
                "changed here. Compare with the other validators; if the network agreed on the "
                "new branch, rebuild the database from the chain, otherwise replace the node.",
            )
        number, hash_ = ancestor
        now = self._clock()
        with self._database.transaction() as conn:
            if self._store.cursor(conn) != cursor:
                raise Broken("two followers write into one database")
            gone = list(self._reader.events(self._store.logs(conn, number + 1, cursor.number)))
            self._store.remove_blocks(conn, number + 1)
            self._at("blocks removed")
            if gone:
                for listener in self._listeners:
                    listener.retracted(conn, gone, at=now)
            self._store.set_cursor(
                conn,
                Cursor(
                    genesis_hash=cursor.genesis_hash,
                    number=number,
                    hash=hash_,
                    final_number=cursor.final_number,
                ),
            )
        self._at("turned back")
        return Step(retracted=cursor.number - number)

    def _ancestor(self, cursor: Cursor, stored: Sequence[BlockRow]) -> tuple[int, bytes] | None:
        """Find the newest block that both have, not below the final one."""
        numbers = [block.number for block in stored]
        headers = self._node.headers([cursor.final_number, *numbers])
        for block, header in zip(reversed(stored), reversed(headers[1:]), strict=True):
            if header is not None and header.hash == block.hash:
                return block.number, block.hash
        # The final block may have been followed by nobody: its child names it.
        final_hash = stored[0].parent_hash if stored else cursor.hash
        if headers[0] is not None and headers[0].hash == final_hash:
            return cursor.final_number, final_hash
        return None

    def _stop(self, kind: str, message: str) -> NoReturn:
        with self._database.transaction() as conn:
            self._store.raise_alarm(
                conn,
                Alarm(kind=kind, subject=SUBJECT, message=message, raised_at=self._clock()),
            )
        raise Broken(message, code=kind)


def _block_row(header: Header, final: int) -> BlockRow:
    return BlockRow(
        number=header.number,
        hash=header.hash,
        parent_hash=header.parent_hash,
        timestamp=header.timestamp,
        final=header.number <= final,
    )


def _hash_at(blocks: Sequence[BlockRow], head: Header) -> bytes | None:
    """Tell which hash the database has for the head's height; its child names it, too."""
    for block in blocks:
        if block.number == head.number:
            return block.hash
        if block.number == head.number + 1:
            return block.parent_hash
    return None
