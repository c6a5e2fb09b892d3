"""Compares the contracts' storage, after one block, with what the events gave.

Everything is asked at one block. Holdings, supplies, assets, accounts, nonces, live instructions,
withdrawn consents, escrows, modules, their holds, and the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from settle.audit import abi, wire
from settle.audit.abi import AbiError, left_word, word
from settle.audit.books import Books
from settle.audit.deployment import Deployment
from settle.audit.findings import Code, Findings, Place
from settle.audit.published import SETTLEMENT, Published
from settle.audit.rpc import NodeLine
from settle.audit.wire import NodeError
from settle.domain.keccak import keccak256

_CALLS_AT_ONCE: Final = 1_000

Question = tuple[bytes, str, tuple[bytes, ...]]
"""A contract, one of its views, and its arguments as words."""


class StateReader:
    """Asks views of the contracts after one block."""

    def __init__(
        self, line: NodeLine, block: int, contracts: dict[bytes, Published], findings: Findings
    ) -> None:
        """`contracts`: the published contract at each address."""
        self._line = line
        self._block = wire.quantity(block)
        self._contracts = contracts
        self._findings = findings
        self.place = Place(block, 0)

    def ask(self, questions: Iterable[Question]) -> Iterator[tuple[Any, ...] | None]:
        """Answer questions in order; None, and a finding, where there is no answer."""
        rest = iter(questions)
        while some := list(islice(rest, _CALLS_AT_ONCE)):
            calls = [("eth_call", [self._call(*question), self._block]) for question in some]
            for question, answer in zip(some, self._line.batch(calls), strict=True):
                yield self._read(question, answer)

    def is_plain_key(self, address: bytes) -> bool:
        """Whether an address has no code."""
        told = self._line.call("eth_getCode", wire.hexadecimal(address), self._block)
        return not wire.data(told)

    def slots(self, address: bytes, slots: Sequence[int]) -> Iterator[int | None]:
        """Read words of storage; None, and a finding, where there is no answer."""
        for start in range(0, len(slots), _CALLS_AT_ONCE):
            some = slots[start : start + _CALLS_AT_ONCE]
            told = wire.hexadecimal(address)
            calls = [
                ("eth_getStorageAt", [told, wire.hexadecimal(word(slot)), self._block])
                for slot in some
            ]
            for answer in self._line.batch(calls):
                try:
                    yield int.from_bytes(wire.data(wire.result(answer)), "big")
                except wire.Unreadable as error:
                    self._tell(f"storage: {error}", address)
                    yield None

    def _call(self, address: bytes, view: str, arguments: tuple[bytes, ...]) -> dict[str, str]:
        data = self._contracts[address].views[view].call(*arguments)
        return {"to": wire.hexadecimal(address), "data": wire.hexadecimal(data)}

    def _read(self, question: Question, answer: wire.Json | NodeError) -> tuple[Any, ...] | None:
        address, view, _ = question
        try:
            data = wire.data(wire.result(answer))
            return self._contracts[address].views[view].answer(data)
        except (wire.Unreadable, AbiError) as error:
            self._tell(f"{view}: {error}", address)
            return None

    def _tell(self, fact: str, address: bytes) -> None:
        self._findings.tell(self.place, Code.STATE_UNREADABLE, fact, account=address)


class StateCheck:
    """The comparison. `holdings` counts those compared."""

    def __init__(
        self,
        reader: StateReader,
        deployment: Deployment,
        contracts: dict[str, Published],
        books: Books,
        findings: Findings,
    ) -> None:
        """Compare what `reader` answers with `books`."""
        self._reader = reader
        self._settlement = deployment.settlement
        self._participants = deployment.participants
        self._nonces_slot = contracts[SETTLEMENT].slots["_nonces"]
        self._books = books
        self._findings = findings
        self.holdings = 0

    def run(self, progress: Callable[[int, int], None]) -> None:
        """Compare everything; `progress` gets holdings compared and holdings in all."""
        self._holdings(progress)
        self._assets()
        self._accounts()
        self._nonces()
        self._instructions()
        self._escrows()
        self._modules()
        self._registry()

    def _compare(
        self,
        view: str,
        code: Code,
        expected: Iterable[tuple[tuple[bytes, ...], object, dict[str, Any]]],
        contract: bytes | None = None,
    ) -> None:
        """Ask a view for each entry: its arguments, what it has to answer, whose it is."""
        address = contract or self._settlement
        entries = list(expected)
        answers = self._reader.ask((address, view, arguments) for arguments, _, _ in entries)
        for (_, computed, whose), answer in zip(entries, answers, strict=True):
            if answer is not None:
                stated = answer[0] if len(answer) == 1 else answer
                if stated != computed:
                    self._findings.tell(
                        self._reader.place, code, view, stated=stated, computed=computed, **whose
                    )

    # ------------------------------------------------------------------------ ledger

    def _holdings(self, progress: Callable[[int, int], None]) -> None:
        entries = iter(self._books.holdings.items())
        total = len(self._books.holdings)
        while some := list(islice(entries, _CALLS_AT_ONCE)):
            self._compare(
                "holdingOf",
                Code.HOLDING,
                (
                    ((word(account), word(asset)), amounts, {"account": account, "asset": asset})
                    for (account, asset), amounts in some
                ),
            )
            self.holdings += len(some)
            progress(self.holdings, total)

    def _assets(self) -> None:
        books = self._books
        self._compare("assetCount", Code.ASSET, [((), len(books.assets), {})])
        self._compare(
            "assetOf",
            Code.ASSET,
            (((word(n),), asset.word(), {"asset": n}) for n, asset in books.assets.items()),
        )
        self._compare(
            "totalSupply",
            Code.SUPPLY,
            (((word(n),), asset.supply, {"asset": n}) for n, asset in books.assets.items()),
        )
        sums = dict.fromkeys(books.assets, 0)
        for (_, number), (available, held) in books.holdings.items():
            sums[number] = sums.get(number, 0) + available + held
        for number, total in sums.items():
            supply = books.assets[number].supply if number in books.assets else 0
            if total != supply:
                self._findings.tell(
                    self._reader.place,
                    Code.SUPPLY_UNBALANCED,
                    "the sum of all holdings",
                    asset=number,
                    stated=total,
                    computed=supply,
                )

    def _accounts(self) -> None:
        self._compare(
            "accountOf",
            Code.ACCOUNT,
            (
                ((word(account),), entry.word(), {"account": account})
                for account, entry in self._books.accounts.items()
            ),
        )

    def _modules(self) -> None:
        books = self._books
        self._compare(
            "isModule",
            Code.MODULE,
            (((word(m),), int(active), {"account": m}) for m, active in books.modules.items()),
        )
        self._compare(
            "isLive",
            Code.MODULE,
            (
                (tuple(_word(part) for part in hold), 1, {"account": hold.account})
                for hold in books.holds
                if hold.module != self._settlement
            ),
        )

    # ------------------------------------------------------------------------ instructions

    def _nonces(self) -> None:
        """Read the words of two bits a nonce where the storage layout says that they lie."""
        words = self._books.nonce_words
        keys = list(words)
        slots = []
        for account, index in keys:
            space = keccak256(word(account) + word(self._nonces_slot))
            slots.append(int.from_bytes(keccak256(word(index) + space), "big"))
        for key, stated in zip(keys, self._reader.slots(self._settlement, slots), strict=True):
            if stated is not None and stated != words[key]:
                self._findings.tell(
                    self._reader.place,
                    Code.NONCE_WORD,
                    f"nonces {key[1] * 128} to {key[1] * 128 + 127}, two bits each",
                    account=key[0],
                    stated=f"{stated:#x}",
                    computed=f"{words[key]:#x}",
                )

    def _instructions(self) -> None:
        live = self._books.live
        ids = list(live)
        questions = ((self._settlement, "liveState", (identity,)) for identity in ids)
        for identity, answer in zip(ids, self._reader.ask(questions), strict=True):
            *bits, released = live[identity].word()
            if answer is None:
                continue
            # Without the terms nobody knows which bit of `released` is whose.
            computed = (*bits, answer[3] if released is None else released)
            if answer != computed:
                self._findings.tell(
                    self._reader.place,
                    Code.LIVE,
                    "liveState",
                    instruction=identity,
                    stated=answer,
                    computed=computed,
                )
        self._compare(
            "isWithdrawn",
            Code.LIVE,
            (
                ((word(account), identity), 1, {"account": account, "instruction": identity})
                for account, identity in self._books.withdrawn
            ),
        )

    def _escrows(self) -> None:
        escrows = self._books.escrows
        self._compare(
            "escrowState",
            Code.ESCROW,
            (((i,), one.word(), {"instruction": i}) for i, one in escrows.items()),
        )
        self._compare(
            "isWithdrawnFromEscrow",
            Code.ESCROW,
            (((i,), int(one.withdrawn), {"instruction": i}) for i, one in escrows.items()),
        )
        self._compare(
            "isRecordedSettled",
            Code.ESCROW,
            (((i,), 1, {"instruction": i}) for i in self._books.recorded),
        )

    # ------------------------------------------------------------------------ registry

    def _registry(self) -> None:
        books = self._books
        self._compare(
            "participantOf",
            Code.PARTICIPANT,
            (
                ((left_word(lei),), (one.standing, one.class_, one.bic, len(one.accounts)), {})
                for lei, one in books.participants.items()
            ),
            self._participants,
        )
        self._compare(
            "leiOf",
            Code.PARTICIPANT,
            (
                ((word(account),), lei, {"account": account})
                for account, lei in books.owners.items()
            ),
            self._participants,
        )
        self._compare(
            "accountAt",
            Code.PARTICIPANT,
            (
                ((left_word(lei), word(index)), account, {"account": account})
                for lei, one in books.participants.items()
                for index, account in enumerate(one.accounts)
            ),
            self._participants,
        )


def contracts_at(deployment: Deployment, contracts: dict[str, Published]) -> dict[bytes, Published]:
    """The published contract at each address of a deployment."""
    return {address: contracts[kind] for address, kind in deployment.kinds().items()}


def _word(part: int | bytes) -> bytes:
    return part if isinstance(part, bytes) and len(part) == abi.WORD else word(part)
