from __future__ import annotations

from eth_hash.backends import pycryptodome

from settle.domain.keccak import keccak256


def test_the_hash_is_keccak_and_not_sha3() -> None:
    assert keccak256(b"").hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )
    assert keccak256(b"abc").hex() == (
        "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    )


def test_the_extension_gives_what_another_implementation_gives() -> None:
    for length in range(300):
        data = bytes(k * length % 251 for k in range(length))
        assert pycryptodome.keccak256(data) == keccak256(data)
