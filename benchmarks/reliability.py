"""The page of reliability: each campaign writes its own figures into it, and the command.

`python -m benchmarks.reliability lockstep`, or `invariants`, runs that campaign first; the others
(crash, reorg and so on) call `merge` with what they found.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = Path(__file__).parent / "results" / "reliability.json"
_FORGE: Final = "node_modules/@foundry-rs/forge-linux-amd64/bin/forge"
_STEPS: Final = 80
"""Of a walk in lockstep, as tests/parity/test_lockstep.py has it."""


def merge(name: str, figures: dict[str, Any], *, command: str, page: Path = PAGE) -> None:
    """Write the figures of one campaign; those of the others stay."""
    all_: dict[str, Any] = json.loads(page.read_text()) if page.exists() else {}
    all_[name] = {**figures, "command": command}
    page.parent.mkdir(parents=True, exist_ok=True)
    new = page.with_suffix(".new")
    new.write_text(json.dumps(all_, indent=2) + "\n")
    new.replace(page)


def lockstep(walks: int = 1250) -> int:
    """Walk contract and twin side by side; the number of walks that differed."""
    told = ROOT / "build" / "lockstep.xml"
    os.environ.update(SETTLE_LOCKSTEP_WALKS=str(walks), SETTLE_LOCKSTEP_SEED="1")
    _run(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        f"--junitxml={told}",
        "tests/parity/test_lockstep.py",
    )
    suite = next(ET.parse(told).iter("testsuite"))
    differences = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    ran = int(suite.attrib["tests"]) - int(suite.attrib["skipped"])
    figures = {"steps": ran * _STEPS, "differences": differences}
    merge("lockstep", figures, command="python -m benchmarks.reliability lockstep")
    return differences


def invariants() -> int:
    """Play the laws against hostile actors as CI does; the number of invariants that fell."""
    done = subprocess.run(
        [_FORGE, "test", "--json", "--match-path", "contracts/test/invariant/*Laws*"],
        cwd=ROOT,
        env={**os.environ, "FOUNDRY_PROFILE": "ci"},
        capture_output=True,
        text=True,
        check=False,
    )
    suites = json.loads(done.stdout.splitlines()[-1]).values()
    tests = {name: one for suite in suites for name, one in suite["test_results"].items()}
    laws = {name: one for name, one in tests.items() if "Invariant" in one["kind"]}
    failed = sum(str(one["status"]) != "Success" for one in tests.values())
    runs = min(one["kind"]["Invariant"]["runs"] for one in laws.values())
    calls = min(one["kind"]["Invariant"]["calls"] for one in laws.values())
    figures = {"laws": "L1 to L7, L10", "runs": runs, "depth": calls // runs, "failed": failed}
    merge("invariants", figures, command="python -m benchmarks.reliability invariants")
    return failed


def _run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=False)


def main() -> None:
    """Run one campaign by its name."""
    campaigns = {"lockstep": lockstep, "invariants": invariants}
    parser = argparse.ArgumentParser(description=re.sub(r"\s+", " ", __doc__ or ""))
    parser.add_argument("campaign", choices=campaigns)
    sys.exit(1 if campaigns[parser.parse_args().campaign]() else 0)


if __name__ == "__main__":
    main()
