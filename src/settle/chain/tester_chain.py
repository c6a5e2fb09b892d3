"""A chain in this process: the EVM of py-evm, set up by eth-tester, with a pool and blocks of ours.

eth-tester's own front end looks every transaction up by walking the chain, mines one block a
transaction and takes one gas limit; so only its genesis and its EVM are used here. Blocks carry the
time of the wall clock (plus what tests travelled), always later than their parent's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from eth.exceptions import OutOfGas
from eth.vm.forks.cancun import CancunVM
from eth_tester.backends.pyevm.main import (  # type: ignore[import-untyped] # has no types
    PyEVMBackend,
    get_default_genesis_params,
)
from eth_utils.exceptions import ValidationError

from settle.chain import wire
from settle.chain.rpc import Json, RpcError
from settle.chain.tester_json import block_json, receipts_json, transaction_json
from settle.chain.tester_pool import SERVER_ERROR, Pool, max_fee
from settle.chain.tester_trace import trace_json
from settle.domain.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

REVERTED: Final = 3
_INTRINSIC_ROOM: Final = 110  # percent of a measured run that an estimate allows


@dataclass(slots=True)
class _Block:
    """A mined block: py-evm's header and what is told of it."""

    header: Any
    transactions: list[Json]
    receipts: list[Json]
    hashes: list[str]
    json: Json = field(init=False)

    def __post_init__(self) -> None:
        self.json = block_json(self.header, self.hashes)


class TesterChain:
    """Not safe for threads: the server serialises what it asks."""

    def __init__(
        self,
        *,
        chain_id: int,
        fund: Mapping[bytes, int],
        gas_limit: int,
        clock: Callable[[], int],
    ) -> None:
        """`fund`: wei by address in the genesis block. `clock`: unix seconds."""
        self._clock = clock
        self._travelled_s = 0
        self._next_timestamp: int | None = None
        self._branch = 0
        backend = PyEVMBackend(
            genesis_parameters=get_default_genesis_params(
                {"gas_limit": gas_limit, "timestamp": clock()}
            ),
            genesis_state={
                address: {"balance": wei, "nonce": 0, "code": b"", "storage": {}}
                for address, wei in {bytes(19) + b"\x01": 1, **fund}.items()
            },
            vm_configuration=((0, CancunVM),),
        )
        self._chain = backend.chain
        type(self._chain).chain_id = chain_id  # a class made by eth-tester for this chain alone
        self.chain_id = chain_id
        genesis = self._chain.get_canonical_block_header_by_number(0)
        self._blocks: list[_Block] = [_Block(genesis, [], [], [])]
        self._pool = Pool()
        self._where: dict[bytes, tuple[int, int]] = {}

    # ------------------------------------------------------------------ transactions

    def send(self, signed: bytes) -> bytes:
        """Take a signed transaction into the pool; its hash. RpcError where other nodes refuse."""
        try:
            transaction = self._vm().get_transaction_builder().decode(signed)
            transaction.validate()
        except Exception as error:  # the families of py-evm, rlp and eth-keys have no common base
            raise RpcError(SERVER_ERROR, f"invalid transaction: {error}", None) from error
        hash_ = bytes(transaction.hash)
        if hash_ in self._where:
            raise RpcError(SERVER_ERROR, "already known", None)
        self._pool.add(transaction, self._vm().state, self._blocks[-1].header, self.chain_id)
        return hash_

    def may_mine(self) -> bool:
        """Whether the clock is past the newest block, so that a block keeps real time."""
        return self.now() > int(self._blocks[-1].header.timestamp)

    def now(self) -> int:
        """Unix seconds by the wall clock and what was travelled."""
        return self._clock() + self._travelled_s

    def travel(self, seconds: int) -> None:
        """Let all later blocks be so much later than the newest one or the clock."""
        ahead = max(0, int(self._blocks[-1].header.timestamp) - self.now())
        self._travelled_s += ahead + seconds

    def set_next_timestamp(self, timestamp: int) -> None:
        """Give the next block this time; the clock goes on from there."""
        if timestamp <= self._blocks[-1].header.timestamp:
            raise RpcError(SERVER_ERROR, "timestamp is not after the newest block", None)
        self._next_timestamp = timestamp
        self._travelled_s = timestamp - self._clock()

    def mine(self) -> None:
        """Mine one block of what the pool has ready, in order of nonce; the rest stays."""
        parent = self._blocks[-1].header
        timestamp = self._next_timestamp or max(parent.timestamp + 1, self.now())
        self._next_timestamp = None
        chain = self._chain
        header = chain.create_header_from_parent(parent, timestamp=timestamp)
        # A block that takes another's place is another block, even with equal content.
        header = header.copy(
            mix_hash=keccak256(bytes(parent.hash) + self._branch.to_bytes(32, "big"))
        )
        vm = chain.get_vm(header)
        transactions: list[Any] = []
        receipts: list[Any] = []
        for transaction in self._pool.ready(vm.state):
            if header.gas_used + transaction.gas > header.gas_limit:
                break
            if max_fee(transaction) < header.base_fee_per_gas:
                continue
            try:
                receipt, _ = vm.apply_transaction(header, transaction)
            except ValidationError:
                continue
            header = vm.add_receipt_to_header(header, receipt)
            transactions.append(transaction)
            receipts.append(receipt)
        base = vm.get_block()
        filled = vm.set_block_transactions_and_withdrawals(base, header, transactions, receipts)
        block = vm.mine_block(filled).block
        chain.persist_block(block, perform_validation=False)
        self._keep(block.header, transactions, receipts)

    def _keep(self, header: Any, transactions: Sequence[Any], receipts: Sequence[Any]) -> None:  # noqa: ANN401
        number = header.block_number
        told = [transaction_json(t, header, i) for i, t in enumerate(transactions)]
        self._blocks.append(
            _Block(
                header,
                told,
                receipts_json(header, transactions, receipts),
                [item["hash"] for item in told],
            )
        )
        for index, transaction in enumerate(transactions):
            self._where[bytes(transaction.hash)] = (number, index)
        self._pool.remove(transactions)

    def rollback(self, depth: int, *, keep_transactions: bool) -> None:
        """Forget the newest `depth` blocks; their transactions go back to the pool or are lost."""
        if not 0 < depth < len(self._blocks):
            raise RpcError(SERVER_ERROR, f"no {depth} blocks to take back", None)
        gone = self._blocks[-depth:]
        del self._blocks[-depth:]
        builder = self._vm().get_transaction_builder()
        for block in gone:
            for item in block.transactions:
                self._where.pop(wire.to_bytes(item["hash"]), None)
                if keep_transactions:
                    self._pool.put(builder.decode(wire.to_bytes(item["raw"])))
        self._branch += 1

    def drop(self, hash_: bytes) -> bool:
        """Lose a waiting transaction, as a node does that restarts."""
        waiting = self._pool.find(hash_)
        if waiting is not None:
            self._pool.remove([waiting])
        return waiting is not None

    # ------------------------------------------------------------------------- reads

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return len(self._blocks) - 1

    def block(self, number: int, *, full: bool) -> Json:
        """A block as JSON, None where there is none."""
        if not 0 <= number < len(self._blocks):
            return None
        block = self._blocks[number]
        return {**block.json, "transactions": block.transactions} if full else block.json

    def block_by_hash(self, hash_: str, *, full: bool) -> Json:
        """A block of this chain by its hash."""
        for block in reversed(self._blocks):
            if block.json["hash"] == hash_:
                return self.block(block.header.block_number, full=full)
        return None

    def receipts(self, number: int) -> list[Json] | None:
        """All receipts of a block."""
        return self._blocks[number].receipts if 0 <= number < len(self._blocks) else None

    def receipt(self, hash_: bytes) -> Json:
        """The receipt of a transaction, None where no block has it."""
        where = self._where.get(hash_)
        return None if where is None else self._blocks[where[0]].receipts[where[1]]

    def transaction(self, hash_: bytes) -> Json:
        """A transaction, mined or waiting."""
        where = self._where.get(hash_)
        if where is not None:
            return self._blocks[where[0]].transactions[where[1]]
        waiting = self._pool.find(hash_)
        return None if waiting is None else transaction_json(waiting, None, 0)

    def trace(self, hash_: bytes) -> Json:
        """Run a mined transaction again, after those before it, and tell the calls inside."""
        where = self._where.get(hash_)
        if where is None:
            raise RpcError(SERVER_ERROR, "transaction not found", None)
        number, index = where
        block, parent = self._blocks[number], self._blocks[number - 1]
        header = block.header.copy(state_root=parent.header.state_root, gas_used=0, bloom=0)
        vm = self._chain.get_vm(header)
        builder = vm.get_transaction_builder()
        earlier, this = block.transactions[:index], block.transactions[index]
        for item in earlier:
            receipt, _ = vm.apply_transaction(header, builder.decode(wire.to_bytes(item["raw"])))
            header = vm.add_receipt_to_header(header, receipt)
        transaction = builder.decode(wire.to_bytes(this["raw"]))
        _, computation = vm.apply_transaction(header, transaction)
        return trace_json(computation, transaction.gas)

    def pending_nonce(self, account: bytes) -> int:
        """The nonce after all that waits without a gap."""
        return self._pool.next_nonce(account, int(self._vm().state.get_nonce(account)))

    def state(self, number: int) -> Any:  # noqa: ANN401 py-evm's state
        """The state after a block."""
        return self._vm(number).state

    def call(
        self, *, to: bytes, data: bytes, sender: bytes, number: int, gas: int | None = None
    ) -> bytes:
        """Run a call on the state after a block. RpcError 3 with the data if it reverts."""
        computation = self._run(to, data, sender, number, gas)
        if computation.is_error:
            output = wire.data(bytes(computation.output))
            if isinstance(computation.error, OutOfGas):
                raise RpcError(SERVER_ERROR, "out of gas", output)
            raise RpcError(REVERTED, "execution reverted", output)
        return bytes(computation.output)

    def estimate(self, *, to: bytes, data: bytes, sender: bytes) -> int:
        """How much gas a transaction of this call would need now, with some room."""
        computation = self._run(to, data, sender, self.height, None)
        if computation.is_error:
            output = wire.data(bytes(computation.output))
            raise RpcError(REVERTED, "execution reverted", output)
        zeros = data.count(0)
        intrinsic = 21_000 + 4 * zeros + 16 * (len(data) - zeros)
        return (intrinsic + int(computation.get_gas_used())) * 64 // 63 * _INTRINSIC_ROOM // 100

    def _run(self, to: bytes, data: bytes, sender: bytes, number: int, gas: int | None) -> Any:  # noqa: ANN401
        vm = self._vm(number)
        return vm.execute_bytecode(
            origin=sender,
            gas_price=0,
            gas=gas or vm.get_header().gas_limit,
            to=to,
            sender=sender,
            value=0,
            data=data,
            code=vm.state.get_code(to),
        )

    def _vm(self, number: int | None = None) -> Any:  # noqa: ANN401 py-evm's VM
        index = self.height if number is None else number
        if not 0 <= index < len(self._blocks):
            raise RpcError(SERVER_ERROR, f"no block {index}", None)
        return self._chain.get_vm(self._blocks[index].header)
