from __future__ import annotations

from importlib import import_module

import pytest

from settle.domain.keccak import keccak256


def test_the_hash_is_keccak_and_not_sha3() -> None:
    assert keccak256(b"").hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )
    assert keccak256(b"abc").hex() == (
        "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    )


@pytest.mark.parametrize(("name", "library"), [("pycryptodome", "Crypto"), ("pysha3", "sha3")])
def test_every_backend_gives_the_same(name: str, library: str) -> None:
    pytest.importorskip(library)
    backend = import_module(f"eth_hash.backends.{name}")
    for length in range(300):
        data = bytes(k * length % 251 for k in range(length))
        assert backend.keccak256(data) == keccak256(data)
