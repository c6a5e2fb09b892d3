"""Runs an audit: from one deployment file and one node, trusting neither further than it proves."""

from __future__ import annotations

import time
from collections.abc import Callable

from settle.audit import deployment as deployment_file
from settle.audit import published, wire
from settle.audit.code import check_build, check_code
from settle.audit.contract_state import StateCheck, StateReader, contracts_at
from settle.audit.database import DatabaseCursor, OperatorDatabase, UnreadableDatabase
from settle.audit.database_checks import DatabaseCheck
from settle.audit.engines import Coverage, engine_of, told
from settle.audit.findings import Code, Finding, Findings
from settle.audit.replay import Replay
from settle.audit.report import AuditReport, Counts, classes
from settle.audit.request import AuditRequest, Progress
from settle.audit.role_state import RoleCheck
from settle.audit.rpc import HttpLine, NodeLine
from settle.audit.state_root import StateRootCheck
from settle.audit.wire import NodeError
from settle.domain.errors import InvalidInput


def run(request: AuditRequest, *, connect: Callable[[str], NodeLine] = HttpLine) -> AuditReport:
    """Audit a chain, and the operator's database with it if there is one.

    `connect` opens the line to the node. Raises InvalidInput for a file or a range that cannot be,
    Unavailable where the node or the database does not answer.
    """
    line = connect(request.rpc_url)
    try:
        return _Audit(request, line).run()
    finally:
        line.close()


class _Audit:
    """One run. Steps are methods, in the order in which they happen."""

    def __init__(self, request: AuditRequest, line: NodeLine) -> None:
        self._began = time.monotonic_ns()
        self._request = request
        self._line = line
        self._findings = Findings()
        self._contracts = published.load()
        self._deployment = deployment_file.read(request.deployment_file)
        deployment_file.check_signature(self._deployment, request.deployer, self._findings)
        if request.from_block > self._deployment.block:
            raise InvalidInput(
                "from_block",
                f"the books begin with block {self._deployment.block}: an audit starts there or "
                "before",
            )
        self._replay = Replay(line, self._deployment, self._contracts, self._findings)
        self._version = ""
        self._genesis = b""
        self._holdings = 0
        self._roots: StateRootCheck | None = None
        self._database: DatabaseCheck | None = None

    def run(self) -> AuditReport:
        """Go through all steps."""
        request, database = self._request, None
        if request.database_url is not None:
            database = OperatorDatabase(request.database_url)
        try:
            if request.build is not None:
                check_build(self._contracts, request.build, self._findings)
            if self._same_chain():
                last = self._last_block()
                if database is not None:
                    self._open(database, last)
                total = last - request.from_block + 1
                self._replay.run(
                    request.from_block,
                    last,
                    self._database,
                    lambda: self._tell("blocks", self._replay.blocks, total),
                )
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
            self._version = str(self._line.call("web3_clientVersion"))
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

    def _last_block(self) -> int:
        try:
            head = wire.number(self._line.call("eth_blockNumber"))
        except (wire.Unreadable, NodeError) as error:
            message = f"the node does not tell its newest block: {error}"
            raise InvalidInput("rpc_url", message) from error
        last = head if self._request.to_block is None else self._request.to_block
        if not self._deployment.block <= last <= head:
            raise InvalidInput(
                "to_block",
                f"the last block is between {self._deployment.block}, the deployment, and {head}",
            )
        return last

    # ------------------------------------------------------------------------ the database

    def _open(self, database: OperatorDatabase, last: int) -> None:
        try:
            cursor = database.cursor()
        except UnreadableDatabase as error:
            self._findings.add(Finding(code=Code.DATABASE_UNREADABLE, fact=str(error)))
            return
        if cursor is None:
            fact = "the database has not begun to follow a chain"
            self._findings.add(Finding(code=Code.DATABASE_CURSOR, fact=fact))
            return
        self._check_cursor(cursor, last)
        self._database = DatabaseCheck(
            database,
            cursor,
            max(1, self._deployment.block),
            self._deployment.kinds(),
            self._contracts,
            self._findings,
        )

    def _check_cursor(self, cursor: DatabaseCursor, last: int) -> None:
        """Hold the database's own idea of where it stands against the chain."""
        if cursor.number > last and self._request.to_block is not None:
            raise InvalidInput(
                "to_block",
                f"the database stands at block {cursor.number}: audit at least up to there",
            )
        for fact, wrong, stated, computed in (
            (
                "first block of the chain that the database follows",
                cursor.genesis_hash != self._deployment.genesis_hash,
                cursor.genesis_hash,
                self._deployment.genesis_hash,
            ),
            ("the database is ahead of the chain", cursor.number > last, cursor.number, last),
            (
                "the database calls blocks final that it does not have",
                cursor.final_number > cursor.number,
                cursor.final_number,
                cursor.number,
            ),
        ):
            if wrong:
                self._findings.add(
                    Finding(
                        code=Code.DATABASE_CURSOR,
                        block=cursor.number,
                        fact=fact,
                        stated=stated,
                        computed=computed,
                    )
                )

    # ------------------------------------------------------------------------ state

    def _compare_state(self) -> None:
        """Compare what is on chain after the last block that was read, then the trades."""
        replay, findings, last = self._replay, self._findings, self._replay.last
        if last is None:
            return
        contracts, deployment = self._contracts, self._deployment
        check_code(self._line, last.number, deployment, contracts, findings)
        reader = StateReader(self._line, last.number, contracts_at(deployment, contracts), findings)
        check = StateCheck(reader, deployment, contracts, replay.books, findings)
        check.run(lambda done, total: self._tell("holdings", done, total))
        self._holdings = check.holdings
        RoleCheck(reader, deployment, contracts, replay.authority, findings).run(last.timestamp)
        engine = engine_of(self._version)
        self._roots = StateRootCheck(self._line, engine, last, deployment, contracts, findings)
        self._roots.run(replay.books, replay.authority)
        if self._database is not None:
            try:
                self._database.outside()
                self._database.trades(replay.digests)
            except UnreadableDatabase as error:
                findings.add(Finding(code=Code.DATABASE_UNREADABLE, fact=str(error)))

    def _tell(self, phase: str, done: int, total: int) -> None:
        self._request.progress(
            Progress(
                phase=phase,
                done=done,
                total=total,
                instructions=self._replay.instructions,
                signatures=self._replay.consents.signatures,
            )
        )

    # ------------------------------------------------------------------------ report

    def _report(self) -> AuditReport:
        replay, roots, first = self._replay, self._roots, self._request.from_block
        last, consents = replay.last, replay.consents
        escrows = replay.books.escrows.values()
        checked, not_checked = told(
            Coverage(
                rules=sorted(replay.checker.rules),
                from_genesis=first == 0,
                contracts=len(self._deployment.names()),
                proven=0 if roots is None else roots.proven,
                slots=0 if roots is None else roots.slots,
                no_proof="" if roots is None else roots.without_proof,
                no_trace=replay.calls.refusal,
                database=self._database is not None,
                build=self._request.build is not None,
            )
        )
        return AuditReport(
            chain_id=self._deployment.chain_id,
            genesis=self._genesis,
            deployer=self._deployment.deployer,
            first_block=first,
            last_block=first if last is None else last.number,
            head=self._genesis if last is None else last.hash,
            counts=Counts(
                blocks=replay.blocks,
                events=replay.fold.events,
                instructions=replay.instructions,
                signatures=consents.signatures,
                wallets=consents.wallets,
                own_calls=consents.own_calls,
                traces=replay.calls.traces,
                holdings=self._holdings,
                escrows=sum(escrow.opened_at > 0 for escrow in escrows),
                milestones=sum(escrow.ended for escrow in escrows),
                differences=self._findings.total,
            ),
            findings=tuple(self._findings.kept),
            by_code=classes(self._findings),
            checked=checked,
            not_checked=not_checked,
            elapsed_ms=(time.monotonic_ns() - self._began) // 1_000_000,
        )
