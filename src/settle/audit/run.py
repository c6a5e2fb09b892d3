"""Runs an audit: from one deployment file and one node, trusting neither further than it proves."""

from __future__ import annotations

import time
from collections.abc import Callable

from settle.audit import deployment as deployment_file
from settle.audit import published, wire
from settle.audit.authority_state import Approver, Authority
from settle.audit.block_checks import BlockChecker, UnreadableBlock
from settle.audit.blocks import Block
from settle.audit.books import Books
from settle.audit.calls import CallReader
from settle.audit.code import Creations, check_build, check_code
from settle.audit.consents import Consents
from settle.audit.contract_state import StateCheck, StateReader, contracts_at
from settle.audit.database import OperatorDatabase, UnreadableDatabase
from settle.audit.database_checks import DatabaseCheck
from settle.audit.deployment import Deployment
from settle.audit.events import EventReader
from settle.audit.explain import Explainer
from settle.audit.findings import Code, Finding, Findings
from settle.audit.fold import Fold
from settle.audit.fold_authority import AuthorityFold
from settle.audit.reading import BlockReader
from settle.audit.report import AuditReport, Counts, classes
from settle.audit.request import AuditRequest, Progress
from settle.audit.role_state import RoleCheck
from settle.audit.rpc import HttpLine, NodeLine
from settle.audit.stage import Stage
from settle.audit.typed_data import Digests
from settle.audit.wire import NodeError
from settle.domain.errors import InvalidInput


def run(request: AuditRequest, *, connect: Callable[[str], NodeLine] = HttpLine) -> AuditReport:
    """Audit a chain, and the operator's database with it if there is one.

    `connect` opens the line to the node. Raises InvalidInput for a file or a range that cannot be,
    Unavailable where the node or the database does not answer.
    """
    return _Audit(request, connect(request.rpc_url)).run()


class _Audit:
    """One run. Steps are methods, in the order in which they happen."""

    def __init__(self, request: AuditRequest, line: NodeLine) -> None:
        self._began = time.monotonic_ns()
        self._request = request
        self._line = line
        self._findings = Findings()
        self._contracts = published.load()
        self._deployment = deployment = deployment_file.read(request.deployment_file)
        deployment_file.check_signature(deployment, request.deployer, self._findings)
        if request.from_block > deployment.block:
            raise InvalidInput(
                "from_block",
                f"the books begin with block {deployment.block}: an audit starts there or before",
            )
        kinds = deployment.kinds()
        self._reader = EventReader(self._contracts, self._findings)
        self._reader.kinds = kinds
        self._calls = CallReader(line, self._contracts, kinds)
        self._checker = BlockChecker(self._findings)
        self._creations = Creations(deployment, self._contracts, self._findings)
        self._stage = self._set_stage(deployment, kinds)
        self._explainer = Explainer(self._stage, self._reader, self._calls, self._creations)
        self._database: DatabaseCheck | None = None
        self._genesis = b""
        self._blocks = self._holdings = 0
        self._last: Block | None = None

    def _set_stage(self, deployment: Deployment, kinds: dict[bytes, str]) -> Stage:
        findings = self._findings
        books = Books(deployment.settlement)
        authority = Authority(
            manager=deployment.manager,
            approvers={
                entry.address: Approver(dict(entry.signers))
                for entry in deployment.approvers.values()
            },
        )
        fold = AuthorityFold(authority, deployment, self._contracts, findings, self._has_code)
        return Stage(
            deployment=deployment,
            published=self._contracts,
            kinds=kinds,
            books=books,
            authority=authority,
            fold=Fold(books, fold, deployment, kinds, findings),
            consents=Consents(self._line, self._calls, deployment.settlement, findings),
            digests=Digests(deployment.chain_id, deployment.settlement),
            findings=findings,
        )

    def run(self) -> AuditReport:
        """Go through all steps."""
        database = None
        if self._request.database_url is not None:
            database = OperatorDatabase(self._request.database_url)
        try:
            if self._request.build is not None:
                check_build(self._contracts, self._request.build, self._findings)
            if self._same_chain():
                last = self._last_block(database)
                self._replay(last)
                self._compare_state()
            return self._report()
        finally:
            if database is not None:
                database.close()

    # ------------------------------------------------------------------------ the chain

    def _same_chain(self) -> bool:
        """Whether the node is of the file's chain. On another one nothing else would be news."""
        deployment = self._deployment
        try:
            chain_id = wire.number(self._line.call("eth_chainId"))
            genesis = wire.record(
                self._line.call("eth_getBlockByNumber", "0x0", False), "the first block"
            )
            self._genesis = wire.data(wire.field(genesis, "hash"), 32)
        except (wire.Unreadable, NodeError) as error:
            fact = f"the first block: {error}"
            self._findings.add(Finding(code=Code.BLOCK_UNREADABLE, block=0, fact=fact))
            return False
        for code, fact, stated, computed in (
            (Code.CHAIN_ID, "chain id", chain_id, deployment.chain_id),
            (Code.GENESIS, "hash of the first block", self._genesis, deployment.genesis_hash),
        ):
            if stated != computed:
                self._findings.add(
                    Finding(code=code, block=0, fact=fact, stated=stated, computed=computed)
                )
        return chain_id == deployment.chain_id and self._genesis == deployment.genesis_hash

    def _last_block(self, database: OperatorDatabase | None) -> int:
        try:
            head = wire.number(self._line.call("eth_blockNumber"))
        except (wire.Unreadable, NodeError) as error:
            raise InvalidInput(
                "rpc_url", f"the node does not tell its newest block: {error}"
            ) from error
        last = head if self._request.to_block is None else self._request.to_block
        if not self._deployment.block <= last <= head:
            raise InvalidInput(
                "to_block",
                f"the last block is between {self._deployment.block}, the deployment, and {head}",
            )
        if database is not None:
            self._open_database(database, last)
        return last

    def _open_database(self, database: OperatorDatabase, last: int) -> None:
        try:
            cursor = database.cursor()
        except UnreadableDatabase as error:
            self._findings.add(Finding(code=Code.DATABASE_UNREADABLE, fact=str(error)))
            return
        if cursor is None:
            fact = "the database has not begun to follow a chain"
            self._findings.add(Finding(code=Code.DATABASE_CURSOR, fact=fact))
            return
        if cursor.genesis_hash != self._deployment.genesis_hash:
            self._findings.add(
                Finding(
                    code=Code.DATABASE_CURSOR,
                    fact="first block of the chain that the database follows",
                    block=0,
                    stated=cursor.genesis_hash,
                    computed=self._deployment.genesis_hash,
                )
            )
        if cursor.number > last:
            if self._request.to_block is not None:
                raise InvalidInput(
                    "to_block",
                    f"the database stands at block {cursor.number}: audit at least up to there",
                )
            self._findings.add(
                Finding(
                    code=Code.DATABASE_CURSOR,
                    fact="the database is ahead of the chain",
                    block=cursor.number,
                    stated=cursor.number,
                    computed=last,
                )
            )
        self._database = DatabaseCheck(
            database,
            cursor,
            max(1, self._deployment.block),
            self._deployment.kinds(),
            self._contracts,
            self._findings,
        )

    # ------------------------------------------------------------------------ replay

    def _replay(self, last: int) -> None:
        first = self._request.from_block
        stop_at = None if self._database is None else self._database.cursor.number
        reader = BlockReader(self._line, self._deployment.kinds())
        try:
            for found in reader.ranges(first, last, stop_at):
                blocks: list[Block] = []
                try:
                    for block in self._checker.check(found):
                        blocks.append(block)
                        self._explainer.block(block)
                        self._blocks += 1
                        self._last = block
                finally:
                    self._compare_range(blocks)
                self._tell("blocks", self._blocks, last - first + 1)
        except UnreadableBlock as error:
            self._findings.add(error.finding)
        else:
            if first <= self._deployment.block:
                self._creations.tell_missing(last)

    def _compare_range(self, blocks: list[Block]) -> None:
        ended, self._stage.fold.ended = self._stage.fold.ended, []
        database = self._database
        if database is None or not blocks:
            return
        try:
            database.blocks(blocks)
            database.outcomes(blocks[0].number, blocks[-1].number, ended)
            if blocks[-1].number == database.cursor.number:
                database.state(blocks[-1], self._stage.books)
        except UnreadableDatabase as error:
            self._findings.add(Finding(code=Code.DATABASE_UNREADABLE, fact=str(error)))
            self._database = None

    # ------------------------------------------------------------------------ state

    def _compare_state(self) -> None:
        if self._last is None:
            return
        number, time_ = self._last.number, self._last.timestamp
        stage, findings = self._stage, self._findings
        check_code(self._line, number, self._deployment, self._contracts, findings)
        reader = StateReader(
            self._line, number, contracts_at(self._deployment, self._contracts), findings
        )
        check = StateCheck(reader, self._deployment, self._contracts, stage.books, findings)
        check.run(lambda done, total: self._tell("holdings", done, total))
        self._holdings = check.holdings
        RoleCheck(reader, self._deployment, self._contracts, stage.authority, findings).run(time_)
        if self._database is not None:
            try:
                self._database.outside()
                self._database.trades(stage.digests)
            except UnreadableDatabase as error:
                findings.add(Finding(code=Code.DATABASE_UNREADABLE, fact=str(error)))

    def _has_code(self, address: bytes, block: int) -> bool:
        return self._stage.consents.has_code(address, block)

    def _tell(self, phase: str, done: int, total: int) -> None:
        self._request.progress(
            Progress(
                phase=phase,
                done=done,
                total=total,
                instructions=self._explainer.instructions,
                signatures=self._stage.consents.signatures,
            )
        )

    # ------------------------------------------------------------------------ report

    def _report(self) -> AuditReport:
        consents, last = self._stage.consents, self._last
        return AuditReport(
            chain_id=self._deployment.chain_id,
            genesis=self._genesis,
            deployer=self._deployment.deployer,
            first_block=self._request.from_block,
            last_block=self._request.from_block if last is None else last.number,
            head=self._genesis if last is None else last.hash,
            counts=Counts(
                blocks=self._blocks,
                events=self._stage.fold.events,
                instructions=self._explainer.instructions,
                signatures=consents.signatures,
                wallets=consents.wallets,
                own_calls=consents.own_calls,
                traces=self._calls.traces,
                holdings=self._holdings,
                differences=self._findings.total,
            ),
            findings=tuple(self._findings.kept),
            by_code=classes(self._findings),
            checked=(),
            not_checked=(),
            elapsed_ms=(time.monotonic_ns() - self._began) // 1_000_000,
        )
