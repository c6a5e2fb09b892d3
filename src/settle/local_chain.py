"""A chain of one's own in a folder: engine, deployment and every officer's key.

For the demo, benchmarks and `settle up` on one machine, where one person plays all the officers. In
production each officer keeps its own key, and nobody has this folder.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.chain.authority import (
    ADMIN,
    ADMIN_DELAY_S,
    COMPLIANCE,
    ISSUER,
    REGISTRAR,
    REVOKER,
)
from settle.chain.deploy import ApproverPlan, deploy
from settle.chain.deployment import (
    Deployment,
    check_deployment,
    load_deployment,
    save_deployment,
)
from settle.chain.desk import Desk
from settle.chain.direct import DirectSender
from settle.chain.eip712 import address_of
from settle.chain.engine import RunningEngine, find_engine, start_engine
from settle.chain.keystore import save_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from settle.chain.profile import EngineProfile

_ORGANISATIONS: Final = ("operator", "depository")
_OFFICES: Final[Mapping[str, tuple[str, int]]] = {
    "admin": (ADMIN, ADMIN_DELAY_S),
    "admin_reserve": (ADMIN, ADMIN_DELAY_S),
    "registrar": (REGISTRAR, 0),
    "issuer": (ISSUER, 0),
    "compliance": (COMPLIANCE, 0),
    "revoker": (REVOKER, 0),
}
_FUNDS_WEI: Final = 10**24
_PAYERS: Final = ("deployer", "operator", "desk")
KEY_NAMES: Final = (
    *_PAYERS,
    *(f"{office}/{one}" for office in _OFFICES for one in _ORGANISATIONS),
)
"""Every key of a local chain: who pays, and each office in each of its two organisations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalChain:
    """What runs, and what is in the folder. `keys` by name: payers, and office/organisation."""

    folder: Path
    engine: RunningEngine
    deployment: Deployment
    desk: Desk
    keys: Mapping[str, bytes]

    @property
    def deployment_file(self) -> Path:
        """The signed deployment file."""
        return self.folder / "deployment.json"

    @property
    def operator_key_file(self) -> Path:
        """Keystore of the key that sends the operator's transactions."""
        return self.folder / "operator.json"

    @property
    def password_file(self) -> Path:
        """Password of that keystore."""
        return self.folder / "operator.password"


def open_local_chain(
    profile: EngineProfile,
    folder: Path,
    *,
    root: Path,
    keys: Mapping[str, bytes] | None = None,
    fund: tuple[bytes, ...] = (),
) -> LocalChain:
    """Find or start the engine, find or make the keys, deploy where nothing is deployed.

    `keys` are given where the addresses must come out the same every time; `fund` are further
    addresses that get means to pay gas at the chain's first start.
    Raises: Unavailable if the engine does not start, Broken if its chain is not the folder's.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    known = _keys(folder / "keys.json", keys)
    paying = [address_of(known[name]) for name in _PAYERS]
    engine = find_engine(profile, folder) or start_engine(
        profile, folder, root=root, fund=dict.fromkeys((*paying, *fund), _FUNDS_WEI)
    )
    node = engine.node()
    path = folder / "deployment.json"
    if path.exists():
        deployment = load_deployment(path)
        check_deployment(deployment, node)
    else:
        deployment = deploy(
            node=node, profile=profile, key=known["deployer"], approvers=_plans(known)
        )
        save_deployment(deployment, path)
    _keep_operator_key(folder, known["operator"])
    desk = Desk(
        deployment=deployment,
        keys={role: _pair(known, office) for office, (role, _) in _OFFICES.items()},
        direct=DirectSender(node=node, profile=profile, key=known["desk"]),
        clock=lambda: max(int(time.time()), node.head().timestamp),
    )
    return LocalChain(folder=folder, engine=engine, deployment=deployment, desk=desk, keys=known)


def _keys(path: Path, given: Mapping[str, bytes] | None) -> dict[str, bytes]:
    if path.exists():
        told = json.loads(path.read_text())
        return {name: bytes.fromhex(text) for name, text in told.items()}
    keys = {name: (given or {}).get(name) or secrets.token_bytes(32) for name in KEY_NAMES}
    _write_private(path, json.dumps({name: key.hex() for name, key in keys.items()}, indent=1))
    return keys


def _keep_operator_key(folder: Path, key: bytes) -> None:
    if (folder / "operator.json").exists():
        return
    password = secrets.token_hex(16)
    _write_private(folder / "operator.password", password)
    save_key(folder / "operator.json", key, password)


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _pair(keys: Mapping[str, bytes], office: str) -> tuple[bytes, bytes]:
    first, second = _ORGANISATIONS
    return keys[f"{office}/{first}"], keys[f"{office}/{second}"]


def _plans(keys: Mapping[str, bytes]) -> dict[str, ApproverPlan]:
    return {
        office: ApproverPlan(
            role=role,
            signers={address_of(keys[f"{office}/{one}"]): one for one in _ORGANISATIONS},
            delay_s=delay_s,
        )
        for office, (role, delay_s) in _OFFICES.items()
    }
