"""Checks a block against the block before it, and all that is in it against its header.

What comes out is committed to by the chain of hashes, or a finding says that it is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from settle.audit import headers, merkle, receipts, transactions, wire
from settle.audit.blocks import Block, joined
from settle.audit.findings import Code, Finding, Findings
from settle.audit.reading import Range
from settle.audit.receipts import Blooms, Log, Receipt
from settle.audit.transactions import Sent
from settle.audit.wire import Json, NodeError

_NOBODY: Final = bytes(20)

ToldLogs = dict[tuple[int, int], Mapping[str, Json]]
"""Block and log index -> the log as the node's log query tells it."""


class UnreadableBlock(Exception):
    """The audit cannot go on behind this block; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        """Keep the finding."""
        super().__init__(str(finding))
        self.finding = finding


class BlockChecker:
    """Checks blocks in order. `rules` are the header rules that reproduced hashes."""

    def __init__(self, findings: Findings) -> None:
        """Tell `findings`."""
        self._findings = findings
        self._blooms = Blooms()
        self.rules: set[str] = set()
        self.last: Block | None = None

    def check(self, found: Range) -> Iterator[Block]:
        """Check the blocks of a range in order. Raises UnreadableBlock where it has to end."""
        told = self._told_logs(found)
        for position in range(found.size):
            number = found.first + position
            block = self._check(number, *found.answers[2 * position : 2 * position + 2])
            if told is not None:
                self._compare_logs(block, told, found.addresses)
            self.last = block
            yield block
        for (number, index), answer in (told or {}).items():
            fact = "a log that only the log query has"
            stated = str(answer.get("data"))
            self._tell(Code.LOGS, number, fact, stated, "no log", log_index=index)

    def _check(self, number: int, header: Json | NodeError, told: Json | NodeError) -> Block:
        for answer in (header, told):
            if answer is None or isinstance(answer, NodeError):
                fact = f"block {number}: {answer or 'not there'}"
                raise UnreadableBlock(Finding(code=Code.BLOCK_MISSING, block=number, fact=fact))
        try:
            header = wire.record(header, "the block")
            self._check_header(number, header)
            sent = self._transactions(number, header)
            became = self._receipts(number, sent, wire.records(told, "the receipts"))
            self._check_roots(number, header, sent, became)
            return Block(
                number=number,
                hash=wire.data(wire.field(header, "hash"), 32),
                parent_hash=wire.data(wire.field(header, "parentHash"), 32),
                timestamp=wire.number(wire.field(header, "timestamp")),
                state_root=wire.data(wire.field(header, "stateRoot"), 32),
                transactions=joined(sent, became),
            )
        except (wire.Unreadable, TypeError, OverflowError) as error:
            fact = f"block {number}: {error}"
            raise UnreadableBlock(
                Finding(code=Code.BLOCK_UNREADABLE, block=number, fact=fact)
            ) from error

    # ------------------------------------------------------------------------ header

    def _check_header(self, number: int, header: Mapping[str, Json]) -> None:
        stated = wire.number(wire.field(header, "number"))
        self._equal(Code.BLOCK_NUMBER, number, "number of the block", stated, number)
        rule = headers.rule_of(header)
        if rule is None:
            claimed = wire.data(header["hash"])
            computed = headers.ETHEREUM.hash(header)
            self._equal(Code.BLOCK_HASH, number, "hash of the header", claimed, computed)
        else:
            self.rules.add(rule.name)
        if self.last is None:
            return
        parent = wire.data(wire.field(header, "parentHash"), 32)
        self._equal(Code.PARENT_HASH, number, "parent hash", parent, self.last.hash)
        timestamp = wire.number(wire.field(header, "timestamp"))
        if timestamp < self.last.timestamp:
            after = f"not before {self.last.timestamp}"
            self._tell(Code.BLOCK_TIME, number, "time of the block", timestamp, after)

    def _check_roots(
        self,
        number: int,
        header: Mapping[str, Json],
        sent: Sequence[Sent],
        became: Sequence[Receipt],
    ) -> None:
        for name, code, values in (
            ("transactionsRoot", Code.TRANSACTIONS_ROOT, [one.raw for one in sent]),
            ("receiptsRoot", Code.RECEIPTS_ROOT, [one.raw for one in became]),
        ):
            stated = wire.data(wire.field(header, name), 32)
            self._equal(code, number, name, stated, merkle.list_root(values))
        bloom = 0
        for one in became:
            bloom |= one.bloom
        if int.from_bytes(wire.data(wire.field(header, "logsBloom"), 256), "big") != bloom:
            self._findings.add(Finding(code=Code.BLOOM, block=number, fact="bloom of the block"))

    # ------------------------------------------------------------------------ content

    def _transactions(self, number: int, header: Mapping[str, Json]) -> list[Sent]:
        sent: list[Sent] = []
        for told in wire.records(wire.field(header, "transactions"), "the transactions"):
            claimed = wire.data(wire.field(told, "hash"), 32)
            try:
                one = transactions.read(told)
                fact = "hash of the transaction"
                self._equal(Code.TRANSACTION_HASH, number, fact, claimed, one.hash, claimed)
            except wire.Unreadable as error:
                code, fact = Code.TRANSACTION_UNREADABLE, str(error)
                self._findings.add(Finding(code=code, block=number, transaction=claimed, fact=fact))
                one = Sent(claimed, b"", 0, _NOBODY, 0, _NOBODY, b"")
            sent.append(one)
        return sent

    def _receipts(
        self, number: int, sent: Sequence[Sent], told: Sequence[Mapping[str, Json]]
    ) -> list[Receipt]:
        if len(told) != len(sent):
            raise wire.Unreadable(f"{len(sent)} transactions and {len(told)} receipts")
        became: list[Receipt] = []
        first_index = 0
        for index, (one, receipt) in enumerate(zip(sent, told, strict=True)):
            read = receipts.read(receipt, one.kind, first_index, self._blooms)
            self._check_place(number, index, one, receipt, first_index)
            first_index += len(read.logs)
            became.append(read)
        return became

    def _check_place(
        self, number: int, index: int, one: Sent, told: Mapping[str, Json], first_index: int
    ) -> None:
        """Hold what no root commits to against where the receipt stands."""
        places: list[tuple[str, object, object]] = [
            ("transaction hash", wire.data(wire.field(told, "transactionHash"), 32), one.hash),
            ("transaction index", wire.number(wire.field(told, "transactionIndex")), index),
            ("block number", wire.number(wire.field(told, "blockNumber")), number),
        ]
        for position, log in enumerate(told["logs"]):
            stated = wire.number(wire.field(log, "logIndex"))
            places.append(("log index", stated, first_index + position))
        for fact, found, computed in places:
            self._equal(
                Code.RECEIPT_PLACE, number, f"{fact} of the receipt", found, computed, one.hash
            )

    # ------------------------------------------------------------------------ log query

    def _told_logs(self, found: Range) -> ToldLogs | None:
        try:
            return {
                (
                    wire.number(wire.field(log, "blockNumber")),
                    wire.number(wire.field(log, "logIndex")),
                ): log
                for log in wire.records(wire.result(found.logs), "the answer")
            }
        except (wire.Unreadable, TypeError) as error:
            fact = f"the log query from block {found.first} on: {error}"
            self._findings.add(Finding(code=Code.LOGS, block=found.first, fact=fact))
            return None

    def _compare_logs(self, block: Block, told: ToldLogs, addresses: frozenset[bytes]) -> None:
        """Take each log of a receipt out of what the log query told; it must be the same."""
        for transaction in block.transactions:
            for log in transaction.logs:
                if log.address not in addresses:
                    continue
                answer = told.pop((block.number, log.index), None)
                if answer is None:
                    fact, stated = "a log that only a receipt has", "no log"
                elif not _is_log(answer, log):
                    fact, stated = "a log", str(answer.get("data"))
                else:
                    continue
                self._tell(
                    *(Code.LOGS, block.number, fact, stated, log.data, transaction.hash),
                    log_index=log.index,
                )

    # ------------------------------------------------------------------------ telling

    def _equal(
        self,
        code: Code,
        number: int,
        fact: str,
        stated: object,
        computed: object,
        transaction: bytes | None = None,
    ) -> None:
        if stated != computed:
            self._tell(code, number, fact, stated, computed, transaction)

    def _tell(
        self,
        code: Code,
        number: int,
        fact: str,
        stated: object,
        computed: object,
        transaction: bytes | None = None,
        *,
        log_index: int | None = None,
    ) -> None:
        self._findings.add(
            Finding(
                code=code,
                block=number,
                transaction=transaction,
                log_index=log_index,
                fact=fact,
                stated=stated,
                computed=computed,
            )
        )


def _is_log(answer: Mapping[str, Json], log: Log) -> bool:
    """Whether the log query tells this log; in small letters, as every node writes bytes."""
    return (
        answer.get("data") == wire.hexadecimal(log.data)
        and answer.get("topics") == [wire.hexadecimal(topic) for topic in log.topics]
        and str(answer.get("address")).lower() == wire.hexadecimal(log.address)
    )
