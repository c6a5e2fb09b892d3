"""The page of reliability: each campaign writes its own figures into it, and the command.

`python -m benchmarks.reliability CAMPAIGN` runs one of those below first; `scripts/mutate` calls
`merge` with what it found.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = Path(__file__).parent / "results" / "reliability.json"
_FORGE: Final = "node_modules/@foundry-rs/forge-linux-amd64/bin/forge"
_WALKS: Final = 1_250
_CRASHES: Final = 12_000


def merge(name: str, figures: Mapping[str, Any], *, command: str, page: Path = PAGE) -> None:
    """Write the figures of one campaign; those of the others stay."""
    all_: dict[str, Any] = json.loads(page.read_text()) if page.exists() else {}
    all_[name] = {**figures, "command": command}
    page.parent.mkdir(parents=True, exist_ok=True)
    new = page.with_suffix(".new")
    new.write_text(json.dumps(all_, indent=2) + "\n")
    new.replace(page)


def crash(runs: int) -> tuple[dict[str, Any], int]:
    """Kill the operator and lie to it at every step, by seed from 1 on."""
    from tests.crash.campaign import Figures, run_seeds
    from tests.crash.story import Bench

    with tempfile.TemporaryDirectory() as folder:
        figures = run_seeds(Bench(Path(folder)), range(1, runs + 1), Figures())
    return figures.document(), len(figures.failed)


def lockstep(walks: int) -> tuple[dict[str, Any], int]:
    """Walk contract and twin side by side; counts the walks that differed."""
    from tests.parity.test_lockstep import STEPS

    told = ROOT / "build" / "lockstep.xml"
    tests = ("-n", str(os.cpu_count()), f"--junitxml={told}", "tests/parity/test_lockstep.py")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *tests],
        cwd=ROOT,
        env={**os.environ, "SETTLE_LOCKSTEP_WALKS": str(walks), "SETTLE_LOCKSTEP_SEED": "1"},
        check=False,
    )
    suite = next(ET.parse(told).iter("testsuite"))
    ran, failures, errors, skipped = (
        int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")
    )
    differences = failures + errors
    return {"steps": (ran - skipped) * STEPS, "differences": differences}, differences


def invariants(_size: int) -> tuple[dict[str, Any], int]:
    """Play the laws against hostile actors as CI does."""
    done = subprocess.run(
        [_FORGE, "test", "--json", "--match-path", "contracts/test/invariant/*Laws*"],
        cwd=ROOT,
        env={**os.environ, "FOUNDRY_PROFILE": "ci"},
        capture_output=True,
        text=True,
        check=False,
    )
    suites = json.loads(done.stdout.splitlines()[-1]).values()
    tests = [one for suite in suites for one in suite["test_results"].values()]
    played = [one["kind"]["Invariant"] for one in tests if "Invariant" in one["kind"]]
    failed = sum(one["status"] != "Success" for one in tests)
    runs = min(one["runs"] for one in played)
    depth = min(one["calls"] for one in played) // runs
    return {"laws": "L1 to L7, L10", "runs": runs, "depth": depth, "failed": failed}, failed


_CAMPAIGNS: Final[Mapping[str, tuple[Callable[[int], tuple[dict[str, Any], int]], int]]] = {
    "crash": (crash, _CRASHES),
    "lockstep": (lockstep, _WALKS),
    "invariants": (invariants, 0),
}


def main() -> None:
    """Run one campaign by its name; exit code 1 where something fell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("campaign", choices=_CAMPAIGNS)
    parser.add_argument("--size", type=int, help="runs of crash, walks of lockstep")
    options = parser.parse_args()
    campaign, usual = _CAMPAIGNS[options.campaign]
    size = usual if options.size is None else options.size
    figures, fallen = campaign(size)
    command = f"python -m benchmarks.reliability {options.campaign}"
    merge(
        options.campaign, figures, command=command if size == usual else f"{command} --size {size}"
    )
    sys.exit(1 if fallen else 0)


if __name__ == "__main__":
    main()
