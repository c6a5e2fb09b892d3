from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from settle.chain.abi import load_abi
from settle.chain.contract_errors import contract_error, revert_data
from settle.chain.contracts import SettlementContract, instruction_tuple
from settle.chain.rpc import RpcError
from settle.domain.errors import Refused
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import Instruction, Leg

addresses = st.binary(min_size=20, max_size=20).map(Address)
words = st.binary(min_size=32, max_size=32)
uint32 = st.integers(0, 2**32 - 1)
uint64 = st.integers(0, 2**64 - 1)
uint128 = st.integers(0, 2**128 - 1)
legs = st.builds(
    Leg,
    asset=uint32.map(AssetId),
    deliverer=addresses,
    receiver=addresses,
    quantity=uint128,
)
instructions = st.builds(
    Instruction,
    initiator=addresses,
    nonce=uint64,
    settle_from=uint64,
    settle_by=uint64,
    cycle=words,
    options=uint32,
    minimum_lot=uint128,
    predecessor=words,
    trade_ref=words,
    terms=words,
    legs=st.lists(legs, max_size=8).map(tuple),
)
signatures = st.lists(st.sampled_from([0, 1, 31, 32, 33, 64, 65]).map(lambda n: b"\x07" * n))
CONTRACT = SettlementContract(bytes(20))
ABI = load_abi("Settlement")


@given(instructions, signatures)
def test_calls_written_by_hand_are_those_of_the_encoder(
    instruction: Instruction, signed: list[bytes]
) -> None:
    terms = instruction_tuple(instruction)
    assert CONTRACT.settle(instruction, signed) == ABI.encode("settle", terms, signed)
    assert CONTRACT.affirm(instruction, signed) == ABI.encode("affirm", terms, signed)


@given(st.lists(st.tuples(instructions, signatures), max_size=4))
def test_a_batch_written_by_hand_is_that_of_the_encoder(
    requests: list[tuple[Instruction, list[bytes]]],
) -> None:
    general = [(instruction_tuple(instruction), signed) for instruction, signed in requests]
    assert CONTRACT.settle_many(requests) == ABI.encode("settleMany", general)


def test_a_refusal_is_read_with_its_reason() -> None:
    signature = ABI.errors["Refused"]
    from eth_abi.abi import encode

    values = (b"\x01" * 32, (b"LACK", 1, "0x" + "aa" * 20, 500, 20))
    error = contract_error(signature.selector + encode(signature.types, values))
    assert isinstance(error, Refused)
    [reason] = error.reasons
    assert (reason.code, reason.leg, reason.who, reason.needed, reason.have) == (
        "LACK",
        1,
        b"\xaa" * 20,
        500,
        20,
    )


def test_an_error_nobody_knows_is_shown_as_it_is() -> None:
    error = contract_error(b"\xde\xad\xbe\xef\x01")
    assert isinstance(error, Refused)
    assert "0xdeadbeef01" in error.message
    short = contract_error(ABI.errors["HoldingTooSmall"].selector)
    assert "HoldingTooSmall" in short.message


def test_the_data_of_a_revert_is_found_wherever_the_node_puts_it() -> None:
    for data in ("0x01ff", {"data": "0x01ff"}, {"result": "0x01ff"}, "Reverted 0x01ff"):
        assert revert_data(RpcError(3, "execution reverted", data)) == b"\x01\xff"
    assert revert_data(RpcError(3, "execution reverted", None)) == b""
    assert revert_data(RpcError(-32000, "header not found", None)) is None
