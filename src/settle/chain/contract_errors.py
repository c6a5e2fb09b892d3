"""What the contracts' reverts mean."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from settle.chain.abi import Signature, load_abi
from settle.chain.rpc import RpcError
from settle.domain.errors import Broken, Refused, SettleError, Unavailable
from settle.domain.ids import Address
from settle.domain.reasons import Reason, kind_of

_WORD_BEGINS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
CONTRACTS: Final = ("AccessManager", "Approver", "Participants", "Settlement")


def contract_error(data: bytes) -> SettleError:
    """Say what a revert of our contracts means: Refused, with the reason where it carries one."""
    signature = _errors().get(data[:4])
    if signature is None:
        return Refused(
            (), f"the contract refused with 0x{data.hex()[:80]}", code="contract_refused"
        )
    try:
        values = decode(signature.types, data[4:])
    except DecodingError:
        return Refused((), f"the contract refused: {signature.name}", code="contract_refused")
    if signature.name == "Refused":
        reason = read_reason(values[1])
        return Refused((reason,), kind_of(reason.code).sentence, code="refused")
    told = ", ".join(
        f"{name} {'0x' + value.hex() if isinstance(value, bytes) else value}"
        for name, value in zip(signature.arguments, values, strict=True)
    )
    code = _WORD_BEGINS.sub("_", signature.name).lower()
    return Refused((), f"the contract refused: {signature.name}({told})", code=code)


def revert_data(error: RpcError) -> bytes | None:
    """Take the data of a revert out of a node's error; None if the error is no revert.

    Nodes put it in different places: as the data, inside an object, or behind a word.
    """
    data = error.data
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    if not isinstance(data, str):
        return b"" if "revert" in error.message else None
    found = re.search(r"0x([0-9a-fA-F]{2})*\Z", data)
    return None if found is None else bytes.fromhex(found.group()[2:])


def good_answer(answer: bytes | RpcError) -> bytes:
    """Give the answer of a read; raise what a revert means, or that the node cannot run it."""
    if not isinstance(answer, RpcError):
        return answer
    data = revert_data(answer)
    if data is None:
        raise Unavailable(f"the node does not run a call: {answer.message}", code="node_call")
    if not data:
        raise Broken(f"a read of our contract reverts: {answer.message}")
    raise contract_error(data)


@cache
def _errors() -> dict[bytes, Signature]:
    abis = [load_abi(name) for name in CONTRACTS]
    return {error.selector: error for abi in abis for error in abi.errors.values()}


def read_reason(values: tuple[bytes, int, str, int, int]) -> Reason:
    """Read the struct Reason."""
    code, leg, who, needed, have = values
    return Reason(code=read_code(code), leg=leg, who=_someone(who), needed=needed, have=have)


def read_code(code: bytes) -> str:
    """Read a code of four letters; zeros are the empty text."""
    return code.rstrip(b"\0").decode("ascii", "replace")


def _someone(text: str) -> Address | None:
    address = Address(bytes.fromhex(text[2:]))
    return address if any(address) else None
