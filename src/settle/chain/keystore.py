"""Private keys on disk: keystore v3, encrypted under a password, readable by their owner only."""

from __future__ import annotations

import json
import os
import secrets
import stat
from typing import TYPE_CHECKING, Final

from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from settle.chain.eip712 import address_of
from settle.domain.errors import InvalidInput, Unavailable
from settle.domain.ids import Address, account_address
from settle.strict_json import read_json

if TYPE_CHECKING:
    from pathlib import Path

OWNER_ONLY: Final = 0o600
_SCRYPT_N: Final = 262_144  # what Ethereum clients use; about half a second


def new_key() -> bytes:
    """Draw a private key."""
    while True:
        key = secrets.token_bytes(32)
        try:
            address_of(key)
        except InvalidInput:
            continue  # zero, or beyond the curve's order: practically never
        return key


def save_key(path: Path, key: bytes, password: str, *, work: int = _SCRYPT_N) -> Address:
    """Write a key to a new file that only its owner reads; gives the key's address.

    An existing file is never replaced: the key in it may be the only one of its kind.
    Raises InvalidInput if there is a file, Unavailable if the disk refuses.
    """
    address = address_of(key)
    keyfile = create_keyfile_json(key, password.encode(), kdf="scrypt", iterations=work)
    octets = json.dumps(keyfile).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), OWNER_ONLY)
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if isinstance(error, FileExistsError) and path.is_file():
            raise InvalidInput("keystore_exists", f"{path} exists and is not replaced") from error
        raise Unavailable(f"{path}: {error.strerror}", code="keystore_write") from error
    return address


def load_key(path: Path, password: str) -> bytes:
    """Read a key.

    Raises InvalidInput: no such file, readable by others, no keystore, or the wrong password.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        octets = path.read_bytes()
    except OSError as error:
        raise InvalidInput("keystore_read", f"{path}: {error.strerror}") from error
    if mode & ~OWNER_ONLY:
        raise InvalidInput(
            "keystore_mode", f"{path} is open to others (mode {mode:o}): chmod 600 {path}"
        )
    try:
        keyfile = read_json(octets)
        key = decode_keyfile_json(keyfile, password.encode())
    except ValueError as error:
        wrong = "MAC" in str(error)
        what = "the password is wrong" if wrong else "is no keystore of version 3"
        raise InvalidInput(
            "keystore_password" if wrong else "keystore_format", f"{path}: {what}"
        ) from error
    except (KeyError, TypeError, AttributeError, NotImplementedError) as error:
        raise InvalidInput("keystore_format", f"{path}: is no keystore of version 3") from error
    return bytes(key)


def stored_address(path: Path) -> Address:
    """Read which address a keystore is for, without its password."""
    try:
        text = read_json(path.read_bytes())["address"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput("keystore_format", f"{path}: is no keystore of version 3") from error
    return account_address(text if str(text).startswith("0x") else f"0x{text}")
