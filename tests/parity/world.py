"""A deployed Settlement, and accounts that sign well and badly."""

from __future__ import annotations

from random import Random
from typing import Final

from settle.chain.eip712 import ORDER, address_of, compact, sign
from settle.domain.ids import Address
from settle.domain.instruction import SigningDomain
from settle.domain.twin_state import Brought
from tests.parity.abi_records import Abi
from tests.parity.evm import CHAIN_ID, DEPLOYER, Evm
from tests.parity.storage import Storage

AGREED: Final = b"this wallet says yes".ljust(32, b".")
START: Final = 1_800_000_000


def wallet_code() -> bytes:
    """Return the creation code of an ERC-1271 wallet that agrees whenever it is shown AGREED."""
    compare = b"\x60\x64\x35\x7f" + AGREED + b"\x14"  # the signature's first word == AGREED
    answer = b"\x63\x16\x26\xba\x7e\x02\x60\xe0\x1b"  # that, times the magic value, to the left
    runtime = compare + answer + b"\x60\x00\x52\x60\x20\x60\x00\xf3"
    size = bytes([len(runtime)])
    head = b"\x60" + size + b"\x60\x0c\x60\x00\x39\x60" + size + b"\x60\x00\xf3"
    return head + runtime


class World:
    """The contracts, deployed once; tests put the EVM back to a snapshot."""

    def __init__(self) -> None:
        self.evm = Evm()
        self.evm.now = START
        authority = self.evm.deploy("AccessManager", ("address",), (DEPLOYER,))
        affirmation = self.evm.deploy("Affirmation", ("address",), (authority,))
        escrow = self.evm.deploy("Escrow", ("address",), (authority,))
        self.settlement = self.evm.deploy(
            "Settlement", ("address",) * 3, (authority, affirmation, escrow)
        )
        self.participants = self.evm.deploy(
            "Participants", ("address", "address"), (authority, self.settlement)
        )
        self.authority = authority
        self.abi = Abi("Settlement")
        self.storage = Storage(self.evm, self.settlement)
        self.domain = SigningDomain(chain_id=CHAIN_ID, verifying_contract=self.settlement)
        keys = [bytes(31) + bytes([n]) for n in range(1, 9)]
        self.keys: dict[Address, bytes] = {address_of(key): key for key in keys}
        *owners, self.stranger = self.keys
        self.wallet = self.evm.create(wallet_code())
        self.owners: tuple[Address, ...] = (*owners, self.wallet)

    def good(self, account: Address, digest: bytes, random: Random) -> bytes:
        """Sign, in one of the forms that the contract takes."""
        if account == self.wallet:
            return AGREED + random.randbytes(random.choice((0, 1, 32, 33)))
        signature = sign(digest, self.keys[account])
        return compact(signature) if random.random() < 0.5 else signature

    def bad(self, account: Address, digest: bytes, random: Random) -> bytes:
        """Make something that is not empty and not the account's signature over the digest."""
        return random.choice((*self.forgeries(account, digest), random.randbytes(65)))

    def forgeries(self, account: Address, digest: bytes) -> tuple[bytes, ...]:
        """List what looks like a signature of the account over the digest and is none."""
        stranger = next(key for owner, key in self.keys.items() if owner != account)
        foreign = sign(digest, stranger)
        if account not in self.keys:
            return foreign, compact(foreign), AGREED[:31], b"no"
        own, other = sign(digest, self.keys[account]), sign(digest[::-1], self.keys[account])
        mirrored = (ORDER - int.from_bytes(own[32:64], "big")).to_bytes(32, "big")
        return (
            foreign,
            compact(foreign),
            other,
            compact(other),
            own[:64] + bytes([own[64] - 27]),  # v as the parity alone
            own[:64] + bytes([55 - own[64]]),  # the other parity
            own[:32] + mirrored + bytes([55 - own[64]]),  # the same signature with a high s
            own[:63],
            own + b"\x00",
            compact(own) + b"\x00\x00",
            b"\x00",
            bytes(64),
            bytes(65),
            AGREED,
        )

    def bring(
        self, account: Address, digest: bytes, random: Random, kind: Brought
    ) -> tuple[bytes, Brought]:
        """Return bytes of a kind; an account that cannot sign brings nothing good."""
        if kind is Brought.NOTHING:
            return b"", kind
        if kind is Brought.GOOD and (account in self.keys or account == self.wallet):
            return self.good(account, digest, random), kind
        return self.bad(account, digest, random), Brought.BAD
