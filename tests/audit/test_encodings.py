"""The auditor's own encoders against other people's: they must not agree with us by accident."""

from __future__ import annotations

from typing import Any

import pytest
import rlp as reference_rlp
from eth_abi.abi import decode, encode
from eth_keys import keys
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from settle.audit import abi, merkle, rlp, signatures, typed_data
from settle.audit.terms import Instruction, Leg, faults, parties
from settle.domain import instruction as signed
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import SigningDomain
from settle.domain.keccak import keccak256

ITEMS = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=5))
WORDS = st.binary(min_size=32, max_size=32)
ADDRESSES = st.binary(min_size=20, max_size=20)
UINT = {bits: st.integers(0, 2**bits - 1) for bits in (8, 32, 64, 128, 256)}
LEGS = st.tuples(UINT[32], ADDRESSES, ADDRESSES, UINT[128])
INSTRUCTIONS = st.tuples(
    *(ADDRESSES, UINT[64], UINT[64], UINT[64], WORDS, UINT[32], UINT[128], WORDS, WORDS, WORDS),
    st.lists(LEGS, max_size=8),
)
INSTRUCTION_TYPE = (
    "(address,uint64,uint64,uint64,bytes32,uint32,uint128,bytes32,bytes32,bytes32,"
    "(uint32,address,address,uint128)[])"
)
COMPONENTS: list[dict[str, Any]] = [
    *(
        {"name": "x", "type": kind}
        for kind in INSTRUCTION_TYPE[1:].split(",(", maxsplit=1)[0].split(",")
    ),
    {
        "name": "legs",
        "type": "tuple[]",
        "components": [
            {"name": "x", "type": kind} for kind in ("uint32", "address", "address", "uint128")
        ],
    },
]
REQUESTS = [
    {
        "name": "requests",
        "type": "tuple[]",
        "components": [
            {"name": "instruction", "type": "tuple", "components": COMPONENTS},
            {"name": "signatures", "type": "bytes[]"},
        ],
    }
]
REQUESTS_TYPE = f"({INSTRUCTION_TYPE},bytes[])[]"


def plain(value: Any) -> Any:
    """Addresses as bytes, lists as tuples, as our reader gives them."""
    if isinstance(value, str):
        return bytes.fromhex(value[2:])
    return tuple(plain(part) for part in value) if isinstance(value, tuple | list) else value


# ---------------------------------------------------------------------------- rlp, tries


@given(ITEMS)
def test_rlp_is_that_of_the_reference(item: rlp.Item) -> None:
    encoded = rlp.encode(item)
    assert encoded == reference_rlp.encode(item)
    assert rlp.decode(encoded) == item


@given(st.binary(max_size=60))
def test_rlp_of_nonsense_is_an_error_or_an_item(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except ValueError:
        return
    assert rlp.encode(item) is not None


@given(st.lists(st.binary(min_size=1, max_size=70), max_size=200))
def test_roots_of_lists_are_those_of_the_reference(values: list[bytes]) -> None:
    trie = HexaryTrie({})
    for index, value in enumerate(values):
        trie[rlp.encode(rlp.number(index))] = value
    assert merkle.list_root(values) == trie.root_hash


@given(st.dictionaries(WORDS, st.binary(min_size=1, max_size=33), max_size=60), WORDS)
def test_roots_and_proofs_of_maps_are_those_of_the_reference(
    entries: dict[bytes, bytes], absent: bytes
) -> None:
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[key] = value
    assert merkle.map_root(entries.items()) == trie.root_hash
    for key in [*list(entries)[:5], absent]:
        nodes = [rlp.encode(node) for node in trie.get_proof(key) if node != b""]
        # Nodes inside other nodes are not part of a proof.
        proof = [node for node in nodes if len(node) >= 32 or keccak256(node) == trie.root_hash]
        if proof:
            assert merkle.proven(trie.root_hash, key, proof) == entries.get(key)


@given(st.dictionaries(WORDS, st.binary(min_size=1, max_size=33), min_size=2, max_size=20))
def test_a_proof_with_a_changed_node_is_refused(entries: dict[bytes, bytes]) -> None:
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[key] = value
    key = next(iter(entries))
    proof = [rlp.encode(node) for node in trie.get_proof(key)]
    changed = proof[0][:-1] + bytes((proof[0][-1] ^ 1,))
    with pytest.raises(ValueError, match="does not commit"):
        merkle.proven(trie.root_hash, key, [changed, *proof[1:]])


# ---------------------------------------------------------------------------- abi


@given(st.lists(st.tuples(INSTRUCTIONS, st.lists(st.binary(max_size=70), max_size=4)), max_size=4))
def test_requests_are_read_as_the_reference_reads_them(requests: list[Any]) -> None:
    data = encode([REQUESTS_TYPE], [requests])
    read = abi.reader(REQUESTS)
    assert read(data, 0) == plain(decode([REQUESTS_TYPE], data))
    assert read(b"\1\2\3\4" + data, 4) == plain(decode([REQUESTS_TYPE], data))


@given(st.binary(max_size=400))
def test_nonsense_is_an_error_of_the_abi_and_never_another(data: bytes) -> None:
    try:
        abi.reader(REQUESTS)(data, 0)
    except abi.AbiError:
        return


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("address", b"\1" + bytes(31)),
        ("uint32", b"\1" + bytes(31)),
        ("bool", bytes(31) + b"\2"),
        ("bytes12", b"\1" * 13 + bytes(19)),
        ("int8", bytes(31) + b"\x80"),
    ],
)
def test_dirty_bits_are_refused(kind: str, word: bytes) -> None:
    with pytest.raises(abi.AbiError):
        abi.reader([{"name": "x", "type": kind}])(word, 0)


# ---------------------------------------------------------------------------- what is signed


@given(INSTRUCTIONS, ADDRESSES, UINT[64])
def test_digests_are_those_that_the_signers_sign(
    value: tuple[Any, ...], account: bytes, number: int
) -> None:
    domain = SigningDomain(chain_id=7, verifying_contract=Address(b"\7" * 20))
    digests = typed_data.Digests(7, b"\7" * 20)
    *plain_terms, legs = value
    ours = Instruction._make((*plain_terms, tuple(Leg(*leg) for leg in legs)))
    theirs = signed.Instruction(
        initiator=Address(ours.initiator),
        nonce=ours.nonce,
        settle_from=ours.settle_from,
        settle_by=ours.settle_by,
        cycle=ours.cycle,
        options=ours.options,
        minimum_lot=ours.minimum_lot,
        predecessor=ours.predecessor,
        trade_ref=ours.trade_ref,
        terms=ours.terms,
        legs=tuple(
            signed.Leg(
                asset=AssetId(leg.asset),
                deliverer=Address(leg.deliverer),
                receiver=Address(leg.receiver),
                quantity=leg.quantity,
            )
            for leg in ours.legs
        ),
    )
    identity = signed.instruction_id(theirs, domain)
    who = Address(account)
    assert digests.instruction(ours) == identity
    assert parties(ours.legs) == signed.accounts_of(theirs)
    for flag in (False, True):
        assert digests.reservation(account, identity, flag) == signed.reservation_digest(
            who, identity, domain, committed=flag
        )
    assert digests.release(account, identity) == signed.release_digest(who, identity, domain)
    assert digests.withdrawal(account, identity) == signed.withdrawal_digest(who, identity, domain)
    assert digests.cancellation(account, identity, number) == signed.cancellation_digest(
        who, identity, domain, valid_by=number
    )
    order = signed.Redemption(
        account=who,
        asset=AssetId(number % 2**32),
        quantity=number,
        ref=identity,
        nonce=number,
        valid_by=number,
    )
    assert digests.redemption(
        account, number % 2**32, number, identity, number, number
    ) == signed.redemption_digest(order, domain)


@given(WORDS, st.integers(1, 2**200))
def test_signers_are_those_of_the_reference(digest: bytes, secret: int) -> None:
    key = keys.PrivateKey(secret.to_bytes(32, "big"))
    signature = key.sign_msg_hash(digest)
    r, s, parity = signature.r, signature.s, signature.v
    address = key.public_key.to_canonical_address()
    full = signature.to_bytes()[:64] + bytes((27 + parity,))
    compact = r.to_bytes(32, "big") + (s | parity << 255).to_bytes(32, "big")
    assert signatures.signer_of(digest, full) == address
    assert signatures.signer_of(digest, compact) == address
    # What the contracts refuse is refused here: the other s, a v of 0 or 1, another length.
    high = r.to_bytes(32, "big") + (signatures.ORDER - s).to_bytes(32, "big")
    assert signatures.signer_of(digest, high + bytes((28 - parity,))) is None
    assert signatures.signer_of(digest, full[:64] + bytes((parity,))) is None
    assert signatures.signer_of(digest, full + b"\0") is None
    assert signatures.signer_of(digest, full[:63]) is None


@given(st.binary(max_size=70), WORDS)
def test_nonsense_is_signed_by_nobody_in_particular(signature: bytes, digest: bytes) -> None:
    signer = signatures.signer_of(digest, signature)
    assert signer is None or len(signer) == 20


# ---------------------------------------------------------------------------- terms

GOOD = Instruction(
    initiator=b"A" * 20,
    nonce=1,
    settle_from=10,
    settle_by=20,
    cycle=bytes(32),
    options=0,
    minimum_lot=0,
    predecessor=bytes(32),
    trade_ref=bytes(32),
    terms=bytes(32),
    legs=(Leg(1, b"A" * 20, b"B" * 20, 5), Leg(2, b"B" * 20, b"A" * 20, 7)),
)


def test_good_terms_have_no_fault() -> None:
    assert faults(GOOD) == []
    assert faults(GOOD._replace(options=1, minimum_lot=5)) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"legs": ()}, "0 legs"),
        ({"legs": GOOD.legs * 5}, "10 legs"),
        ({"legs": (Leg(1, b"A" * 20, b"B" * 20, 0),)}, "moves nothing"),
        ({"legs": (Leg(1, b"A" * 20, b"A" * 20, 1),)}, "own deliverer"),
        ({"initiator": b"C" * 20}, "no party"),
        ({"settle_by": 10}, "empty"),
        ({"options": 4}, "options"),
        ({"cycle": b"\1" * 32}, "cycle"),
        ({"predecessor": b"\1" * 32}, "predecessor"),
        ({"minimum_lot": 1}, "smallest part"),
        ({"options": 1, "minimum_lot": 6}, "smallest part"),
    ],
)
def test_malformed_terms_are_named(change: dict[str, Any], word: str) -> None:
    [fault] = faults(GOOD._replace(**change))
    assert word in fault
