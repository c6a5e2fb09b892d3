from __future__ import annotations

import pytest
from eth_account import Account
from eth_keys import keys
from hypothesis import given
from hypothesis import strategies as st

from settle.chain.eip712 import HALF_ORDER, ORDER, address_of, compact, recover, sign, sign_parts
from settle.domain.errors import InvalidInput

KEY = bytes(31) + b"\x07"
DIGEST = bytes(range(32))
some_keys = st.integers(1, ORDER - 1).map(lambda n: n.to_bytes(32, "big"))
digests = st.binary(min_size=32, max_size=32)


@given(some_keys, digests)
def test_what_a_key_signs_recovers_to_its_address_in_both_forms(key: bytes, digest: bytes) -> None:
    signature = sign(digest, key)
    assert recover(digest, signature) == address_of(key)
    assert recover(digest, compact(signature)) == address_of(key)
    assert len(signature) == 65
    assert len(compact(signature)) == 64


@given(some_keys, digests)
def test_signatures_are_those_of_eth_account(key: bytes, digest: bytes) -> None:
    theirs = Account.unsafe_sign_hash(digest, key)
    assert sign(digest, key) == bytes(theirs.signature)
    assert sign_parts(digest, key) == (theirs.v - 27, theirs.r, theirs.s)
    assert address_of(key) == keys.PrivateKey(key).public_key.to_canonical_address()


def test_a_high_s_is_refused_although_it_recovers_elsewhere() -> None:
    signature = sign(DIGEST, KEY)
    s = ORDER - int.from_bytes(signature[32:64], "big")
    assert s > HALF_ORDER
    flipped = signature[:32] + s.to_bytes(32, "big") + bytes((55 - signature[64],))
    with pytest.raises(InvalidInput, match="lower half"):
        recover(DIGEST, flipped)


@pytest.mark.parametrize("length", [0, 1, 63, 66, 130])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidInput, match="64 or 65"):
        recover(DIGEST, bytes(length))


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_a_v_other_than_27_or_28_is_refused(v: int) -> None:
    with pytest.raises(InvalidInput, match="neither 27 nor 28"):
        recover(DIGEST, sign(DIGEST, KEY)[:64] + bytes((v,)))


def test_numbers_that_are_no_point_of_the_curve_are_refused() -> None:
    one = (1).to_bytes(32, "big")
    for r in (bytes(32), ORDER.to_bytes(32, "big"), (5).to_bytes(32, "big")):
        with pytest.raises(InvalidInput):
            recover(DIGEST, r + one + b"\x1b")
    with pytest.raises(InvalidInput):
        recover(DIGEST, one + bytes(32) + b"\x1b")


def test_zero_and_the_order_are_no_keys() -> None:
    for key in (bytes(32), ORDER.to_bytes(32, "big")):
        with pytest.raises(InvalidInput):
            address_of(key)
