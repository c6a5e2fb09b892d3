"""Lets the auditor look at the day, and at a copy of the database in which one balance is wrong."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from settle.domain.errors import Broken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settle.demo.stage import Stage

_CLEAN: Final = 0
_FINDINGS: Final = 4


def audit(stage: Stage, database: Path) -> dict[str, Any]:
    """Run the auditor in a process of its own; gives its report.

    Raises: Broken if it neither says clean nor has findings.
    """
    command = [
        *(sys.executable, "-m", "settle.audit", "run", "--json"),
        *("--rpc", stage.chain.engine.url),
        *("--deployment", str(stage.chain.deployment_file)),
        *("--database", f"sqlite:///{database}"),
    ]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  our own module
    if done.returncode not in (_CLEAN, _FINDINGS):
        tail = done.stderr.decode()[-2_000:]
        raise Broken(f"the auditor ended with {done.returncode}: {tail}", code="audit_failed")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def place_of(finding: Mapping[str, Any]) -> str:
    """Tell a finding of the auditor in one line: what, where, and both values."""
    where = ", ".join(
        f"{name} {finding[name]}"
        for name in ("block", "transaction", "instruction", "account", "asset")
        if finding[name] is not None
    )
    values = f"stated {finding['stated']}, computed {finding['computed']}"
    return f"{finding['code']}, {finding['fact']}, {where}: {values}"


def tampered_copy(stage: Stage, place: Path) -> tuple[Path, str]:
    """Copy the operator's database and add one unit to one holding; says which."""
    source = sqlite3.connect(stage.chain.folder / "operator.db")
    copy = sqlite3.connect(place)
    try:
        source.backup(copy)
        account, asset, available = copy.execute(
            "SELECT account, asset, available FROM holdings "
            "WHERE available <> '' ORDER BY account, asset LIMIT 1"
        ).fetchone()
        changed = _one_more(available)
        copy.execute(
            "UPDATE holdings SET available = ? WHERE account = ? AND asset = ?",
            (changed, account, asset),
        )
        copy.commit()
    finally:
        source.close()
        copy.close()
    return place, f"asset {asset}, available {available} made {changed}"


def _one_more(value: int | str) -> int | str:
    """The same form, padded if it was, and one unit more."""
    return value + 1 if isinstance(value, int) else str(int(value) + 1).rjust(len(value), "0")
