"""How a request to the API is signed. The client writes it, the API reads it.

Every request but those of `health` carries

    Authorization: Settle key="0x<40 hex>", expires="<unix seconds>", nonce="<32 hex>",
        signature="0x<130 hex>"

in one line. `key` is the address of the signing key: one of the participant's accounts, a key that
the operator registered for the participant, or a key of the operator or the auditor in the
settings. `signature` is that key's EIP-191 signature ("personal message", 65 bytes r, s, v or 64
of ERC-2098) over these lines, joined by a line feed, with none behind the last:

    settle request 1
    audience <origin of the API, such as https://settle.example or http://127.0.0.1:8080>
    <METHOD> <path and query exactly as they are sent>
    idempotency-key <the header, empty without one>
    if-match <the header, empty without one>
    body sha256 <64 hex digits of the digest of the body's bytes>
    expires <unix seconds>
    nonce <32 hex>

A request is good until `expires`, at most MAX_LIFETIME_S ahead of the API's clock, and its nonce
once: sign again to send again. Repeating a POST is safe by its Idempotency-Key, which stays the
same. EIP-191 bytes begin with 0x19 0x45, EIP-712 ones with 0x19 0x01: a signed request can never be
taken for a signed instruction.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, account_address, to_hex
from settle.domain.keccak import keccak256

SCHEME: Final = "Settle"
MAX_LIFETIME_S: Final = 300
NONCE_BYTES: Final = 16
_HEADER: Final = re.compile(
    r'Settle key="(0x[0-9a-fA-F]{40})", ?expires="([0-9]{1,12})", ?nonce="([0-9a-f]{32})", ?'
    r'signature="0x([0-9a-f]{128}(?:[0-9a-f]{2})?)"\Z'
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a signature covers. `target` is path and query as sent, `body_digest` a SHA-256."""

    audience: str
    method: str
    target: str
    body_digest: bytes
    idempotency_key: str = ""
    if_match: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSignature:
    """What the Authorization header says."""

    key: Address
    expires: int
    nonce: str
    signature: bytes


def body_digest(body: bytes) -> bytes:
    """Give the SHA-256 of a body; that of no bytes for a request without one."""
    return hashlib.sha256(body).digest()


def signing_text(request: Request, expires: int, nonce: str) -> str:
    """Give the lines that are signed, as a wallet would show them."""
    return "\n".join(
        (
            "settle request 1",
            f"audience {request.audience}",
            f"{request.method} {request.target}",
            f"idempotency-key {request.idempotency_key}",
            f"if-match {request.if_match}",
            f"body sha256 {request.body_digest.hex()}",
            f"expires {expires}",
            f"nonce {nonce}",
        )
    )


def signing_digest(request: Request, expires: int, nonce: str) -> bytes:
    """Give the digest that the key signs (EIP-191, version 0x45)."""
    text = signing_text(request, expires, nonce).encode()
    return keccak256(b"\x19Ethereum Signed Message:\n%d" % len(text) + text)


def write_authorization(signed: RequestSignature) -> str:
    """Write the header's value."""
    return (
        f'{SCHEME} key="{to_hex(signed.key)}", expires="{signed.expires}", '
        f'nonce="{signed.nonce}", signature="{to_hex(signed.signature)}"'
    )


def read_authorization(value: str) -> RequestSignature:
    """Read the header's value. Raises InvalidInput if it is written differently."""
    found = _HEADER.match(value)
    if found is None:
        message = f"the Authorization header is not {SCHEME} with key, expires, nonce, signature"
        raise InvalidInput("authorization_form", message)
    return RequestSignature(
        key=account_address(found[1]),
        expires=int(found[2]),
        nonce=found[3],
        signature=bytes.fromhex(found[4]),
    )


def origin(url: str) -> str:
    """Give the audience of a base URL: scheme, host and, unless it is the usual one, port.

    Raises: InvalidInput for anything but an http or https address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise InvalidInput("base_url", f"{url!r} is no http or https address")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = port is None or port == _DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"
