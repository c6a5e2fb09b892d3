"""What an audit is asked for, and what it tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an audit is. `phase` names what is being done; the rest counts it."""

    phase: str
    done: int
    total: int
    instructions: int
    signatures: int


def _silent(progress: Progress) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRequest:
    """What to audit. Nothing but the deployment file is taken for granted.

    `from_block` is 0 for the whole chain and at most the block of the deployment; `to_block`
    None is the newest. `deployer` is whom the auditor trusts to have signed the file, None whoever
    did.
    `build` is a folder with artifacts of a fresh build to compare the published code with.
    """

    rpc_url: str
    deployment_file: Path
    database_url: str | None = None
    from_block: int = 0
    to_block: int | None = None
    deployer: bytes | None = None
    build: Path | None = None
    progress: Callable[[Progress], None] = _silent
