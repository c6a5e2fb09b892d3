"""`python -m settle.audit run` in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from audited_world import World


def audit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "settle.audit", "run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def of(world: World) -> tuple[str, ...]:
    return ("--rpc", world.url, "--deployment", str(world.file))


def test_a_clean_chain_ends_with_0_and_one_object(world: World) -> None:
    done = audit(*of(world), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "clean"
    assert report["differences"] == 0
    assert report["findings"] == []
    for count in ("blocks", "instructions", "signatures", "holdings"):
        assert report[count] > 0
    assert report["head"] == "0x" + world.audit().head.hex()
    assert "blocks " in done.stderr
    assert "s left" in done.stderr


def test_people_read_the_same(world: World) -> None:
    done = audit(*of(world), "--quiet")
    assert done.returncode == 0
    assert "verdict: clean" in done.stdout
    assert "not checked: who sealed the blocks" in done.stdout
    assert done.stderr == ""


def test_a_finding_ends_with_4_and_names_its_place(world: World, tmp_path: Path) -> None:
    told = json.loads(world.file.read_text())
    told["code_hashes"]["Settlement"] = "0x" + "00" * 32
    altered = tmp_path / "deployment.json"
    altered.write_text(json.dumps(told))
    arguments = ("--rpc", world.url, "--deployment", str(altered), "--quiet")
    done = audit(*arguments)
    assert done.returncode == 4
    assert "code_hash_differs" in done.stdout
    assert "deployment_signature_invalid" in done.stdout
    report = json.loads(audit(*arguments, "--json").stdout)
    [finding] = [f for f in report["findings"] if f["code"] == "code_hash_differs"][:1]
    assert finding["account"] == "0x" + world.deployment.settlement.hex()
    assert finding["block"] == report["last_block"]
    assert finding["stated"] != finding["computed"]
    assert finding["meaning"]


def test_a_wrong_call_ends_with_2(world: World, tmp_path: Path) -> None:
    assert audit().returncode == 2
    for more in (
        ("--to-block", "100000"),
        ("--deployer", "nobody"),
        ("--database", "nonsense"),
        ("--build", str(tmp_path)),
    ):
        done = audit(*of(world), *more)
        assert done.returncode == 2, more
        assert done.stderr.startswith("audit: ")
        assert done.stdout == ""
    missing = audit("--rpc", world.url, "--deployment", str(tmp_path / "none.json"))
    assert missing.returncode == 2


def test_a_node_or_a_database_that_does_not_answer_ends_with_3(
    world: World, tmp_path: Path
) -> None:
    silent = audit("--rpc", "http://127.0.0.1:9", "--deployment", str(world.file))
    assert silent.returncode == 3
    assert "no answer from the node" in silent.stderr
    gone = audit(*of(world), "--database", f"sqlite:///{tmp_path / 'none.sqlite'}")
    assert gone.returncode == 3
