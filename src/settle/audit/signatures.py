"""Who signed a digest: secp256k1 recovery, in the forms that the contracts take."""

from __future__ import annotations

from typing import Final

from coincurve import PublicKey

from settle.domain.keccak import keccak256

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HALF_ORDER: Final = ORDER // 2
_EVM_BASE: Final = 27
_PARITY_BIT: Final = 1 << 255


def recover(digest: bytes, r: int, s: int, parity: int) -> bytes | None:
    """Recover the address that signed; None where the numbers are no signature."""
    if not (0 < r < ORDER and 0 < s < ORDER and parity in (0, 1)):
        return None
    compact = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((parity,))
    return _address(compact, digest)


def signer_of(digest: bytes, signature: bytes) -> bytes | None:
    """Recover from 65 bytes (r, s, v of 27 or 28) or 64 (r, vs); None for a high s or no signature.

    The same strings bind here as on chain, no more and no less.
    """
    if len(signature) == 65:
        parity = signature[64] - _EVM_BASE
        s = int.from_bytes(signature[32:64], "big")
    elif len(signature) == 64:
        vs = int.from_bytes(signature[32:], "big")
        parity, s = vs >> 255, vs & (_PARITY_BIT - 1)
    else:
        return None
    if parity not in (0, 1) or not 0 < s <= HALF_ORDER:
        return None
    if not 0 < int.from_bytes(signature[:32], "big") < ORDER:
        return None
    return _address(signature[:32] + s.to_bytes(32, "big") + bytes((parity,)), digest)


def _address(compact: bytes, digest: bytes) -> bytes | None:
    try:
        key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except Exception:  # noqa: BLE001  coincurve raises its bare base class where no key fits
        return None
    return keccak256(key.format(compressed=False)[1:])[12:]
