"""What we believe about a node, asked of each engine. A belief that fails here fails the design."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from chain_engines import FUNDED_KEYS, mine

from settle.chain import wire
from settle.chain.contract_errors import revert_data
from settle.chain.eip712 import address_of
from settle.chain.node import ContractCall, Node
from settle.chain.rpc import Call, RpcError
from settle.chain.signing import UnsignedTransaction, created_address, sign_transaction

CHAIN_IDS = {"tester": 20_226_001, "anvil": 20_226_002}
SENDER = address_of(FUNDED_KEYS[0])
CLOCK = bytes.fromhex("600980600b6000396000f34260005260206000f3")
"""A contract that answers the time of its block."""
REVERTER = bytes.fromhex("600d80600b6000396000f363deadbeef60005260206000fd")


@pytest.fixture
def gas_price(node: Node) -> int:
    return node.head().base_fee * 2 + 1


def signed(
    node: Node,
    nonce: int,
    *,
    fee: int,
    tip: int = 0,
    gas: int = 21_000,
    to: bytes = b"\x33" * 20,
    data: bytes = b"",
    value: int = 1,
) -> tuple[bytes, bytes]:
    made = sign_transaction(
        UnsignedTransaction(
            chain_id=node.chain_id(),
            nonce=nonce,
            max_priority_fee_per_gas=tip,
            max_fee_per_gas=fee,
            gas=gas,
            to=to,
            data=data,
            value=value,
        ),
        FUNDED_KEYS[0],
    )
    return made.hash, made.raw


def nonce_of(node: Node) -> int:
    return node.nonce(SENDER, node.head().number)


def test_the_same_bytes_count_once_however_often_they_arrive(node: Node, gas_price: int) -> None:
    nonce = nonce_of(node)
    hash_, raw = signed(node, nonce, fee=gas_price)
    assert node.broadcast([raw]) == [None]
    node.broadcast([raw, raw])
    mine(node)
    assert nonce_of(node) == nonce + 1
    [receipt] = node.receipts([hash_])
    assert receipt is not None
    assert receipt.succeeded
    node.broadcast([raw])
    mine(node)
    assert nonce_of(node) == nonce + 1


def test_a_waiting_transaction_is_known_and_has_no_receipt(node: Node, gas_price: int) -> None:
    hash_, raw = signed(node, nonce_of(node), fee=gas_price)
    assert node.knows([hash_]) == [False]
    node.broadcast([raw])
    assert node.knows([hash_]) == [True]
    assert node.receipts([hash_]) == [None]
    mine(node)
    assert node.knows([hash_]) == [True]
    assert node.receipts([hash_]) != [None]


def test_later_nonces_wait_for_the_gap_to_close(node: Node, gas_price: int) -> None:
    nonce = nonce_of(node)
    later, later_raw = signed(node, nonce + 1, fee=gas_price)
    node.broadcast([later_raw])
    mine(node)
    assert nonce_of(node) == nonce
    _, raw = signed(node, nonce, fee=gas_price)
    node.broadcast([raw])
    mine(node)
    assert nonce_of(node) == nonce + 2
    assert node.receipts([later]) != [None]


def test_a_better_offer_replaces_a_waiting_one(node: Node, gas_price: int) -> None:
    nonce = nonce_of(node)
    first, raw = signed(node, nonce, fee=gas_price, tip=1)
    second, better = signed(node, nonce, fee=gas_price * 2, tip=gas_price)
    node.broadcast([raw])
    assert node.broadcast([better]) == [None]
    mine(node)
    [old, new] = node.receipts([first, second])
    assert old is None
    assert new is not None
    assert nonce_of(node) == nonce + 1


def test_a_block_keeps_the_order_of_nonces(node: Node, gas_price: int) -> None:
    nonce = nonce_of(node)
    made = [signed(node, nonce + i, fee=gas_price) for i in range(5)]
    for _, raw in reversed(made):
        node.broadcast([raw])
    mine(node)
    receipts = node.block_receipts(node.head().number)
    assert [r.transaction_hash for r in receipts] == [h for h, _ in made]
    assert node.receipts([h for h, _ in made]) == receipts


def test_a_new_contract_stands_where_we_compute_it(node: Node, gas_price: int) -> None:
    nonce = nonce_of(node)
    hash_, raw = signed(node, nonce, fee=gas_price, to=b"", data=CLOCK, gas=200_000, value=0)
    node.broadcast([raw])
    mine(node)
    [receipt] = node.receipts([hash_])
    assert receipt is not None
    assert receipt.contract_address == created_address(SENDER, nonce)
    assert node.code(receipt.contract_address, receipt.block_number) == CLOCK[11:]
    assert node.code(receipt.contract_address, receipt.block_number - 1) == b""


def test_a_read_sees_the_state_and_the_time_of_its_block(node: Node, gas_price: int) -> None:
    nonce = nonce_of(node)
    _, raw = signed(node, nonce, fee=gas_price, to=b"", data=CLOCK, gas=200_000, value=0)
    node.broadcast([raw])
    mine(node)
    clock = created_address(SENDER, nonce)
    first = node.head()
    node.rpc.call("evm_increaseTime", 100)
    mine(node)
    second = node.head()
    assert second.timestamp >= first.timestamp + 100
    for header in (first, second):
        answer = node.call(ContractCall(to=clock, data=b""), header.number)
        assert int.from_bytes(answer, "big") == header.timestamp
    assert node.nonce(SENDER, first.number - 1) == nonce
    assert node.nonce(SENDER, first.number) == nonce + 1


def test_a_revert_brings_its_data(node: Node, gas_price: int) -> None:
    nonce = nonce_of(node)
    _, raw = signed(node, nonce, fee=gas_price, to=b"", data=REVERTER, gas=200_000, value=0)
    node.broadcast([raw])
    mine(node)
    call = ContractCall(to=created_address(SENDER, nonce), data=b"")
    with pytest.raises(RpcError) as caught:
        node.call(call, node.head().number)
    assert revert_data(caught.value) == bytes.fromhex("deadbeef").rjust(32, b"\0")
    [answer] = node.calls([call], node.head().number)
    assert isinstance(answer, RpcError)


def test_events_of_a_range_are_those_of_its_receipts(node: Node) -> None:
    head = node.head().number
    assert node.logs(0, head, [b"\x77" * 20]) == []
    assert node.rpc.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": wire.quantity(head)}) == []


def test_blocks_name_their_parents_and_never_go_back_in_time(node: Node) -> None:
    mine(node, 3)
    head = node.head().number
    headers = [h for h in node.headers(range(head - 3, head + 1)) if h is not None]
    for earlier, later in pairwise(headers):
        assert later.parent_hash == earlier.hash
        assert later.timestamp >= earlier.timestamp
    assert node.header(head + 1) is None


def test_time_is_that_of_the_wall_clock_or_ahead_of_it(node: Node) -> None:
    mine(node)
    assert node.head().timestamp >= int(time.time()) - 1


def test_a_method_that_a_node_lacks_is_told_apart_from_a_failure(node: Node) -> None:
    with pytest.raises(RpcError) as caught:
        node.rpc.call("eth_noSuchMethod")
    assert caught.value.number == -32601


def test_what_is_wrong_with_a_transaction_is_an_error_and_not_a_hash(
    node: Node, gas_price: int
) -> None:
    nonce = nonce_of(node)
    refusals = node.broadcast(
        [
            b"",
            b"\x02\x01",
            signed(node, nonce, fee=gas_price, value=10**40)[1],
            signed(node, max(0, nonce - 1), fee=gas_price)[1],
        ]
    )
    assert None not in refusals
    assert nonce_of(node) == nonce


def test_a_batch_answers_each_call_for_itself(node: Node) -> None:
    good, bad, also_good = node.rpc.batch(
        [Call("eth_chainId"), Call("eth_noSuchMethod"), Call("eth_blockNumber")]
    )
    assert isinstance(bad, RpcError)
    assert wire.to_int(good) == node.chain_id()
    assert wire.to_int(also_good) == node.head().number


def test_storage_is_read_as_of_a_block(node: Node) -> None:
    assert node.storage(b"\x33" * 20, 0, node.head().number) == bytes(32)


def test_a_chain_that_turned_has_other_blocks_of_the_same_height(node: Node) -> None:
    mine(node, 3)
    before = node.head()
    node.rpc.call("anvil_rollback", 2)
    assert node.head().number == before.number - 2
    mine(node, 2)
    after = node.head()
    assert after.number == before.number
    assert after.hash != before.hash


def test_the_gas_of_a_call_is_estimated_with_room(node: Node, gas_price: int) -> None:
    call = ContractCall(to=b"\x33" * 20, data=b"\x01" * 64, sender=SENDER)
    assert 21_000 + 64 * 16 <= node.estimate_gas(call) < 40_000


def test_each_engine_has_a_chain_of_its_own(engine: object, node: Node) -> None:
    assert node.chain_id() == CHAIN_IDS[engine.profile.name]  # type: ignore[attr-defined]
    genesis = node.header(0)
    assert genesis is not None
    assert genesis.parent_hash == bytes(32)
