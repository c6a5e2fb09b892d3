"""The deployment file: which contracts on which chain, said and signed by whoever deployed them.

The signature is over keccak256 of `settle deployment 1` and a line feed, followed by the file's
JSON without its member `signature`, members sorted, no spaces, ASCII only. Everybody who relies on
the contracts (operator, participant, auditor) starts from this file and refuses another chain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from settle.chain.eip712 import address_of, recover, sign
from settle.domain.errors import Broken, InvalidInput, Unavailable
from settle.domain.ids import Address, account_address
from settle.domain.instruction import SigningDomain
from settle.domain.keccak import keccak256
from settle.strict_json import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from settle.chain.node import Node

FORMAT: Final = 1
_PREFIX: Final = b"settle deployment 1\n"
CONTRACTS: Final = ("AccessManager", "Affirmation", "Escrow", "Settlement", "Participants")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverEntry:
    """An approver: the role it holds, after how many seconds, and the organisation by signer."""

    address: Address
    role: str
    delay_s: int
    signers: Mapping[Address, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What the file says. `block` is the first that can hold an event of the contracts."""

    chain_id: int
    genesis_hash: bytes
    block: int
    contracts: Mapping[str, Address]
    approvers: Mapping[str, ApproverEntry]
    roles: Mapping[str, int]
    code_hashes: Mapping[str, bytes]
    """keccak256 of the deployed code, by name of the contract or of the approver."""
    deployer: Address
    signature: bytes = b""

    @property
    def settlement(self) -> Address:
        """The books and the settlement."""
        return self.contracts["Settlement"]

    @property
    def participants(self) -> Address:
        """The registry."""
        return self.contracts["Participants"]

    @property
    def domain(self) -> SigningDomain:
        """What participants' signatures are for."""
        return SigningDomain(chain_id=self.chain_id, verifying_contract=self.settlement)

    def addresses(self) -> dict[str, Address]:
        """All contracts, by name."""
        return {**self.contracts, **{name: a.address for name, a in self.approvers.items()}}

    def approver_of(self, role: str) -> ApproverEntry:
        """The first approver that holds a role. Raises InvalidInput if none does."""
        for entry in self.approvers.values():
            if entry.role == role:
                return entry
        raise InvalidInput("role", f"nobody holds the role {role} in this deployment")

    def digest(self) -> bytes:
        """What the deployer signs."""
        told = _to_json(self)
        del told["signature"]
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return keccak256(_PREFIX + text.encode())

    def signed(self, key: bytes) -> Deployment:
        """Give the same, signed. Raises InvalidInput if the key is not the deployer's."""
        if address_of(key) != self.deployer:
            raise InvalidInput("deployment_key", "only the deployer signs its deployment")
        return replace(self, signature=sign(self.digest(), key))


def save_deployment(deployment: Deployment, path: Path) -> None:
    """Write the file, whole or not at all. Raises Unavailable if the disk refuses."""
    text = json.dumps(_to_json(deployment), indent=2, sort_keys=True, ensure_ascii=True) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(path.name + ".new")
        written.write_text(text)
        written.replace(path)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}", code="deployment_write") from error


def load_deployment(path: Path, *, deployer: Address | None = None) -> Deployment:
    """Read the file and check who signed it.

    `deployer`: whom the reader trusts; None trusts whoever the file names, which proves only that
    nobody else changed it. Raises InvalidInput.
    """
    try:
        deployment = _from_json(read_json(path.read_bytes()))
    except OSError as error:
        raise InvalidInput("deployment_read", f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{path} is no deployment file of format {FORMAT}: {error}"
        raise InvalidInput("deployment_format", message) from error
    if recover(deployment.digest(), deployment.signature) != deployment.deployer:
        raise InvalidInput("deployment_signature", f"{path} was changed after it was signed")
    if deployer is not None and deployment.deployer != deployer:
        message = f"{path} is signed by 0x{deployment.deployer.hex()}, not by 0x{deployer.hex()}"
        raise InvalidInput("deployment_deployer", message)
    return deployment


def check_deployment(deployment: Deployment, node: Node) -> None:
    """Make sure that the node's chain is the one of the file. Broken says what differs."""
    chain_id = node.chain_id()
    if chain_id != deployment.chain_id:
        raise Broken(
            f"the node is on chain {chain_id}, the deployment file speaks of chain "
            f"{deployment.chain_id}",
            code="another_chain",
        )
    genesis = node.header(0)
    found = b"" if genesis is None else genesis.hash
    if found != deployment.genesis_hash:
        raise Broken(
            f"the node's chain begins with block 0x{found.hex()}, the one of the deployment file "
            f"with 0x{deployment.genesis_hash.hex()}: it is another chain under the same number. "
            "Start the chain that the file belongs to, or deploy anew.",
            code="another_genesis",
        )
    block = node.head().number
    for name, address in deployment.addresses().items():
        code = keccak256(node.code(address, block))
        if code != deployment.code_hashes[name]:
            raise Broken(
                f"the code of {name} at 0x{address.hex()} has the hash 0x{code.hex()}, the "
                f"deployment file says 0x{deployment.code_hashes[name].hex()}",
                code="another_code",
            )


def _to_json(deployment: Deployment) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "chain_id": deployment.chain_id,
        "genesis_hash": _hex(deployment.genesis_hash),
        "block": deployment.block,
        "contracts": {name: _hex(a) for name, a in deployment.contracts.items()},
        "approvers": {
            name: {
                "address": _hex(entry.address),
                "role": entry.role,
                "delay_s": entry.delay_s,
                "signers": {_hex(s): organisation for s, organisation in entry.signers.items()},
            }
            for name, entry in deployment.approvers.items()
        },
        "roles": dict(deployment.roles),
        "code_hashes": {name: _hex(h) for name, h in deployment.code_hashes.items()},
        "deployer": _hex(deployment.deployer),
        "signature": _hex(deployment.signature),
    }


def _from_json(told: Any) -> Deployment:  # noqa: ANN401 JSON
    if told["format"] != FORMAT:
        raise ValueError(f"its format is {told['format']!r}")
    contracts = {str(name): account_address(a) for name, a in told["contracts"].items()}
    if set(contracts) != set(CONTRACTS):
        raise ValueError(f"its contracts are not {', '.join(CONTRACTS)}")
    deployment = Deployment(
        chain_id=_count(told["chain_id"]),
        genesis_hash=_word(told["genesis_hash"]),
        block=_count(told["block"]),
        contracts=contracts,
        approvers={str(name): _approver(entry) for name, entry in told["approvers"].items()},
        roles={str(name): _count(number) for name, number in told["roles"].items()},
        code_hashes={str(name): _word(h) for name, h in told["code_hashes"].items()},
        deployer=account_address(told["deployer"]),
        signature=bytes.fromhex(told["signature"].removeprefix("0x")),
    )
    if set(deployment.code_hashes) != set(deployment.addresses()):
        raise ValueError("its code hashes are not those of its contracts")
    return deployment


def _approver(told: Any) -> ApproverEntry:  # noqa: ANN401 JSON
    return ApproverEntry(
        address=account_address(told["address"]),
        role=str(told["role"]),
        delay_s=_count(told["delay_s"]),
        signers={account_address(s): str(o) for s, o in told["signers"].items()},
    )


def _count(value: Any) -> int:  # noqa: ANN401 JSON
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a number of this file")
    return value


def _word(text: Any) -> bytes:  # noqa: ANN401 JSON
    word = bytes.fromhex(text.removeprefix("0x"))
    if len(word) != 32:
        raise ValueError(f"{text!r} has not 32 bytes")
    return word


def _hex(octets: bytes) -> str:
    return "0x" + octets.hex()
