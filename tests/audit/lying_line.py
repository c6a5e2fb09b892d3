"""A line to a node that lies: it changes single answers, or tells a forged chain that fits."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from typing import Any

from settle.audit import headers, merkle, transactions, wire
from settle.audit.receipts import Blooms
from settle.audit.receipts import read as read_receipt
from settle.audit.rpc import Call, NodeLine
from settle.audit.wire import NodeError

Answer = Any
Change = Callable[[Sequence[Any], Answer], Answer]


class LyingLine:
    """Passes questions on and changes the answers to one method."""

    def __init__(self, line: NodeLine, method: str, change: Change) -> None:
        self._line = line
        self._method = method
        self._change = change
        self.lies = 0

    def call(self, method: str, *params: Any) -> Answer:
        answer = self.batch([(method, params)])[0]
        if isinstance(answer, NodeError):
            raise answer
        return answer

    def batch(self, calls: Sequence[Call]) -> list[Answer]:
        answers = self._line.batch(calls)
        return [
            self._lied(params, answer) if method == self._method else answer
            for (method, params), answer in zip(calls, answers, strict=True)
        ]

    def close(self) -> None:
        self._line.close()

    def _lied(self, params: Sequence[Any], answer: Answer) -> Answer:
        changed = self._change(params, copy.deepcopy(answer))
        self.lies += changed != answer
        return changed


def lying(method: str, change: Change) -> Callable[[NodeLine], NodeLine]:
    """A lie about one method, to be put over a line."""
    return lambda line: LyingLine(line, method, change)


class Chain:
    """A whole chain as a node tells it, to be rewritten: blocks, and the receipts of each."""

    def __init__(self, line: NodeLine) -> None:
        height = wire.number(line.call("eth_blockNumber"))
        self.blocks = [line.call("eth_getBlockByNumber", hex(n), True) for n in range(height + 1)]
        self.receipts = [line.call("eth_getBlockReceipts", hex(n)) for n in range(height + 1)]

    def find(self, hash_: bytes) -> tuple[int, int]:
        """Block and index of a transaction."""
        for number, block in enumerate(self.blocks):
            for index, told in enumerate(block["transactions"]):
                if told["hash"] == wire.hexadecimal(hash_):
                    return number, index
        raise AssertionError("no such transaction")

    def logs(self) -> list[dict[str, Any]]:
        return [log for block in self.receipts for one in block for log in one["logs"]]

    def hold_together(self) -> None:
        """Make every hash, root, bloom and index fit what the blocks hold now."""
        blooms, parent = Blooms(), "0x" + "00" * 32
        for number, (block, told) in enumerate(zip(self.blocks, self.receipts, strict=True)):
            sent = [transactions.read(one) for one in block["transactions"]]
            logs, became = 0, []
            for index, (one, receipt) in enumerate(zip(sent, told, strict=True)):
                block["transactions"][index]["hash"] = wire.hexadecimal(one.hash)
                receipt["transactionHash"] = wire.hexadecimal(one.hash)
                receipt["transactionIndex"] = hex(index)
                receipt["blockNumber"] = hex(number)
                for position, log in enumerate(receipt["logs"]):
                    log["logIndex"] = hex(logs + position)
                    log["blockNumber"] = hex(number)
                became.append(read_receipt(receipt, one.kind, logs, blooms))
                logs += len(receipt["logs"])
            bloom = 0
            for receipt in became:
                bloom |= receipt.bloom
            block["number"], block["parentHash"] = hex(number), parent
            block["transactionsRoot"] = wire.hexadecimal(merkle.list_root([o.raw for o in sent]))
            block["receiptsRoot"] = wire.hexadecimal(merkle.list_root([o.raw for o in became]))
            block["logsBloom"] = wire.hexadecimal(bloom.to_bytes(256, "big"))
            parent = block["hash"] = wire.hexadecimal(headers.ETHEREUM.hash(block))


class ForgedLine(LyingLine):
    """Tells a rewritten chain; everything else is answered by the real node."""

    def __init__(self, line: NodeLine, rewrite: Callable[[Chain], object]) -> None:
        super().__init__(line, "", lambda _params, answer: answer)
        self._chain = Chain(line)
        rewrite(self._chain)
        self._chain.hold_together()

    def batch(self, calls: Sequence[Call]) -> list[Answer]:
        return [self._answer(method, params) for method, params in calls]

    def _answer(self, method: str, params: Sequence[Any]) -> Answer:
        chain = self._chain
        if method == "eth_getBlockByNumber":
            return chain.blocks[int(params[0], 16)]
        if method == "eth_getBlockReceipts":
            return chain.receipts[int(params[0], 16)]
        if method == "eth_blockNumber":
            return hex(len(chain.blocks) - 1)
        if method == "eth_getLogs":
            first, last = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            return [
                log
                for log in chain.logs()
                if first <= int(log["blockNumber"], 16) <= last
                and log["address"] in params[0]["address"]
            ]
        return self._line.batch([(method, params)])[0]


def forged(rewrite: Callable[[Chain], object]) -> Callable[[NodeLine], NodeLine]:
    """Another chain that holds together, to be put over a line."""
    return lambda line: ForgedLine(line, rewrite)


class Noise:
    """Changes one part of one answer to something that does not belong there."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._wait = self._random.randrange(150)
        self.made = False

    def over(self, answer: Answer) -> Answer:
        """Pass answers on until it is time."""
        self._wait -= 1
        if self.made or self._wait > 0 or isinstance(answer, NodeError):
            return answer
        self.made = True
        return self._changed(copy.deepcopy(answer), 0)

    def _changed(self, part: Answer, depth: int) -> Answer:
        if isinstance(part, dict | list) and part and (depth == 0 or self._random.random() < 0.8):
            key = self._random.choice(list(part) if isinstance(part, dict) else range(len(part)))
            if self._random.random() < 0.2:
                del part[key]
            else:
                part[key] = self._changed(part[key], depth + 1)
            return part
        other = (None, 7, -1, "", "0x", "0xzz", "0x01", [], {}, [None], True, "0x" + "ff" * 40)
        return self._random.choice(other)


class NoisyLine(LyingLine):
    """Makes noise over every kind of answer."""

    def __init__(self, line: NodeLine, noise: Noise) -> None:
        super().__init__(line, "", lambda _params, answer: answer)
        self._noise = noise

    def batch(self, calls: Sequence[Call]) -> list[Answer]:
        return [self._noise.over(answer) for answer in self._line.batch(calls)]
