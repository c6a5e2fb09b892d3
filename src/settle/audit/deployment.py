"""The deployment file, read and checked by the auditor's own hand.

The one thing that an audit starts from: which chain, which contracts, which approvers. It is
signed by its deployer over keccak256 of `settle deployment 1`, a line feed, and the file's JSON
without its member `signature`, members sorted, no spaces, ASCII only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from settle.audit import published, signatures
from settle.audit.findings import Code, Finding, Findings
from settle.domain.errors import InvalidInput
from settle.domain.keccak import keccak256

ADMIN: Final = "ADMIN"
REGISTRAR: Final = "REGISTRAR"
ISSUER: Final = "ISSUER"
COMPLIANCE: Final = "COMPLIANCE"
REGISTRY: Final = "REGISTRY"
REVOKER: Final = "REVOKER"
ROLES: Final = (ADMIN, REGISTRAR, ISSUER, COMPLIANCE, REGISTRY, REVOKER)
REVOCABLE: Final = (REGISTRAR, ISSUER, COMPLIANCE, REGISTRY)
CONTRACTS: Final = (
    published.MANAGER,
    published.AFFIRMATION,
    published.ESCROW,
    published.SETTLEMENT,
    published.PARTICIPANTS,
)
_FORMAT: Final = 1
_PREFIX: Final = b"settle deployment 1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverEntry:
    """An approver: its role, the delay of its acts in seconds, the organisation by signer."""

    address: bytes
    role: str
    delay_s: int
    signers: dict[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What the file says. `block` is the first that can hold an event of the contracts."""

    chain_id: int
    genesis_hash: bytes
    block: int
    contracts: dict[str, bytes]
    approvers: dict[str, ApproverEntry]
    roles: dict[str, int]
    code_hashes: dict[str, bytes]
    deployer: bytes
    signer: bytes | None

    @property
    def manager(self) -> bytes:
        """The authority."""
        return self.contracts[published.MANAGER]

    @property
    def settlement(self) -> bytes:
        """Books and settlement."""
        return self.contracts[published.SETTLEMENT]

    @property
    def affirmation(self) -> bytes:
        """The other half of the settlement's code."""
        return self.contracts[published.AFFIRMATION]

    @property
    def escrow(self) -> bytes:
        """The part of the settlement's code that is for escrows."""
        return self.contracts[published.ESCROW]

    @property
    def participants(self) -> bytes:
        """The registry."""
        return self.contracts[published.PARTICIPANTS]

    def kinds(self) -> dict[bytes, str]:
        """Which published contract lies at each address."""
        of_approvers = {entry.address: published.APPROVER for entry in self.approvers.values()}
        return {address: name for name, address in self.contracts.items()} | of_approvers

    def names(self) -> dict[bytes, str]:
        """How the file calls each address."""
        return {address: name for name, address in self.contracts.items()} | {
            entry.address: name for name, entry in self.approvers.items()
        }


def read(path: Path) -> Deployment:
    """Read the file. Raises InvalidInput where it is none; who signed it is told, not judged."""
    try:
        told = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidInput("deployment_read", f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("deployment_format", f"{path} is no JSON: {error}") from error
    try:
        return _read(told)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{path} is no deployment file of format {_FORMAT}: {error!r}"
        raise InvalidInput("deployment_format", message) from error


def check_signature(deployment: Deployment, expected: bytes | None, findings: Findings) -> None:
    """Tell where the file was changed after it was signed, or is another's than `expected`."""
    if deployment.signer != deployment.deployer:
        findings.add(
            Finding(
                code=Code.DEPLOYMENT_SIGNATURE,
                fact="who signed the deployment file",
                stated=deployment.signer or "nobody",
                computed=deployment.deployer,
            )
        )
    if expected is not None and deployment.deployer != expected:
        findings.add(
            Finding(
                code=Code.DEPLOYER,
                fact="the deployer that the file names",
                stated=deployment.deployer,
                computed=expected,
            )
        )


def _read(told: dict[str, Any]) -> Deployment:
    if told["format"] != _FORMAT:
        raise ValueError(f"its format is {told['format']!r}")
    signature = bytes.fromhex(told["signature"].removeprefix("0x"))
    rest = {name: value for name, value in told.items() if name != "signature"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    deployment = Deployment(
        chain_id=_count(told["chain_id"]),
        genesis_hash=_bytes(told["genesis_hash"], 32),
        block=_count(told["block"]),
        contracts={name: _bytes(told["contracts"][name], 20) for name in CONTRACTS},
        approvers={name: _approver(entry) for name, entry in told["approvers"].items()},
        roles={name: _count(told["roles"][name]) for name in ROLES},
        code_hashes={name: _bytes(text, 32) for name, text in told["code_hashes"].items()},
        deployer=_bytes(told["deployer"], 20),
        signer=signatures.signer_of(keccak256(_PREFIX + text.encode()), signature),
    )
    addresses = deployment.names()
    if len(addresses) != len(CONTRACTS) + len(deployment.approvers):
        raise ValueError("two of its contracts have one address")
    if set(deployment.code_hashes) != set(addresses.values()):
        raise ValueError("its code hashes are not those of its contracts")
    return deployment


def _approver(told: dict[str, Any]) -> ApproverEntry:
    if told["role"] not in ROLES:
        raise ValueError(f"the role {told['role']!r}")
    return ApproverEntry(
        address=_bytes(told["address"], 20),
        role=told["role"],
        delay_s=_count(told["delay_s"]),
        signers={
            _bytes(signer, 20): organisation.encode().ljust(32, b"\0")
            for signer, organisation in told["signers"].items()
        },
    )


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a number of this file")
    return value


def _bytes(text: str, length: int) -> bytes:
    octets = bytes.fromhex(text.removeprefix("0x"))
    if len(octets) != length:
        raise ValueError(f"{text!r} has not {length} bytes")
    return octets
