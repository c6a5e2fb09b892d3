from __future__ import annotations

import rlp
from eth_account import Account
from eth_utils import keccak, to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from settle.chain.eip712 import address_of
from settle.chain.signing import UnsignedTransaction, created_address, sign_transaction

KEY = bytes(31) + b"\x09"


@given(
    nonce=st.integers(0, 2**40),
    fee=st.integers(0, 2**60),
    tip=st.integers(0, 2**60),
    gas=st.integers(0, 2**40),
    to=st.binary(min_size=20, max_size=20),
    data=st.one_of(st.binary(max_size=80), st.sampled_from([55, 56, 255, 256, 70_000]).map(bytes)),
    value=st.integers(0, 2**90),
)
def test_the_bytes_are_those_of_eth_account(
    nonce: int, fee: int, tip: int, gas: int, to: bytes, data: bytes, value: int
) -> None:
    ours = sign_transaction(
        UnsignedTransaction(
            chain_id=20_226_001,
            nonce=nonce,
            max_priority_fee_per_gas=tip,
            max_fee_per_gas=fee,
            gas=gas,
            to=to,
            data=data,
            value=value,
        ),
        KEY,
    )
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": 20_226_001,
            "nonce": nonce,
            "maxPriorityFeePerGas": tip,
            "maxFeePerGas": fee,
            "gas": gas,
            "to": to_checksum_address(to),
            "data": data,
            "value": value,
        },
        KEY,
    )
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.hash == bytes(theirs.hash)


@given(st.integers(0, 2**64 - 1))
def test_the_address_of_a_new_contract_is_known_before(nonce: int) -> None:
    sender = address_of(KEY)
    assert created_address(sender, nonce) == keccak(rlp.encode([sender, nonce]))[12:]
