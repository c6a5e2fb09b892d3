"""What signs for a participant: a key in this process, or anything else that has one."""

from __future__ import annotations

from typing import Protocol

from settle.chain import eip712
from settle.domain.ids import Address


class Signer(Protocol):
    """A key. It may live in a file, in a device or in another process."""

    @property
    def address(self) -> Address:
        """The address that its signatures recover to."""

    def sign(self, digest: bytes) -> bytes:
        """Sign 32 bytes: 65 bytes r, s, v with v 27 or 28."""


class KeySigner:
    """A private key in this process."""

    __slots__ = ("_key", "address")

    def __init__(self, key: bytes) -> None:
        """Take 32 bytes. Raises InvalidInput if they are no key."""
        self.address = eip712.address_of(key)
        self._key = key

    def sign(self, digest: bytes) -> bytes:
        """Sign 32 bytes."""
        return eip712.sign(digest, self._key)

    def __repr__(self) -> str:
        return f"KeySigner(0x{self.address.hex()})"
