"""Reads the blocks in order and makes books out of them, comparing the database on the way."""

from __future__ import annotations

from collections.abc import Callable

from settle.audit.authority_state import Approver, Authority
from settle.audit.block_checks import BlockChecker, UnreadableBlock
from settle.audit.blocks import Block
from settle.audit.books import Books
from settle.audit.calls import CallReader
from settle.audit.code import Creations
from settle.audit.consents import Consents
from settle.audit.database import UnreadableDatabase
from settle.audit.database_checks import DatabaseCheck
from settle.audit.deployment import Deployment
from settle.audit.events import EventReader
from settle.audit.explain import Explainer
from settle.audit.findings import Code, Finding, Findings
from settle.audit.fold import Fold
from settle.audit.fold_authority import AuthorityFold
from settle.audit.published import Published
from settle.audit.reading import BlockReader
from settle.audit.rpc import NodeLine
from settle.audit.stage import Stage
from settle.audit.typed_data import Digests


class Replay:
    """The chain as far as it was read. `last` is its newest block, `blocks` counts them."""

    def __init__(
        self,
        line: NodeLine,
        deployment: Deployment,
        contracts: dict[str, Published],
        findings: Findings,
    ) -> None:
        """Begin with empty books."""
        self._line = line
        self._findings = findings
        kinds = deployment.kinds()
        self.calls = CallReader(line, contracts, kinds)
        self.consents = Consents(line, self.calls, deployment.settlement, findings)
        self.checker = BlockChecker(findings)
        self.books = Books(deployment.settlement)
        self.authority = Authority(
            manager=deployment.manager,
            approvers={
                entry.address: Approver(dict(entry.signers))
                for entry in deployment.approvers.values()
            },
        )
        self.digests = Digests(deployment.chain_id, deployment.settlement)
        self.blocks = 0
        self.last: Block | None = None
        self._creations = Creations(deployment, contracts, findings)
        roles = AuthorityFold(
            self.authority, deployment, contracts, findings, self.consents.has_code
        )
        self.fold = Fold(self.books, roles, deployment, kinds, findings)
        stage = Stage(
            deployment=deployment,
            published=contracts,
            kinds=kinds,
            books=self.books,
            authority=self.authority,
            fold=self.fold,
            consents=self.consents,
            digests=self.digests,
            findings=findings,
        )
        events = EventReader(contracts, kinds, findings)
        self._explainer = Explainer(stage, events, self.calls, self._creations)
        self._reader = BlockReader(line, kinds)

    @property
    def instructions(self) -> int:
        """Settled instructions so far."""
        return self._explainer.instructions

    def run(
        self, first: int, last: int, database: DatabaseCheck | None, tell: Callable[[], None]
    ) -> None:
        """Read the blocks first..last; `tell` is called after each range. Raises Unavailable.

        Ends early, with a finding, at a block that cannot be read.
        """
        stop_at = None if database is None else database.cursor.number
        try:
            for found in self._reader.ranges(first, last, stop_at):
                blocks: list[Block] = []
                try:
                    for block in self.checker.check(found):
                        blocks.append(block)
                        self._explainer.block(block)
                        self.blocks += 1
                        self.last = block
                finally:
                    self._compare(blocks, database)
                tell()
        except UnreadableBlock as error:
            self._findings.add(error.finding)
        else:
            self._creations.tell_missing(last)

    def _compare(self, blocks: list[Block], database: DatabaseCheck | None) -> None:
        """Compare what the database has of a range; its derived state where it stands."""
        ended, self.fold.ended = self.fold.ended, []
        if database is None or not blocks:
            return
        try:
            database.blocks(blocks)
            database.outcomes(blocks[0].number, blocks[-1].number, ended)
            if blocks[-1].number == database.cursor.number:
                database.state(blocks[-1], self.books)
        except UnreadableDatabase as error:
            self._findings.add(Finding(code=Code.DATABASE_UNREADABLE, fact=str(error)))
