from __future__ import annotations

import dataclasses
import time
from itertools import pairwise
from pathlib import Path

import pytest
from chain_engines import ROOT, profile_by_hand, skip_if_missing

from settle.chain.engine import find_engine, start_engine
from settle.chain.processes import ProcessId, identify, this_process
from settle.chain.profile import load_profile
from settle.domain.errors import Broken, Conflict, InvalidInput, Unavailable

ENGINES = ["tester", "anvil"]


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_is_found_again_and_stopped(name: str, tmp_path: Path) -> None:
    skip_if_missing(name)
    profile = profile_by_hand(name)
    engine = start_engine(profile, tmp_path, root=ROOT, fund={b"\x07" * 20: 5})
    try:
        found = find_engine(profile, tmp_path)
        assert found == engine
        node = found.node()
        assert node.chain_id() == profile.chain_id
        assert node.balance(b"\x07" * 20, node.head().number) == 5
        with pytest.raises(Conflict):
            start_engine(profile, tmp_path, root=ROOT)
    finally:
        engine.stop()
    assert find_engine(profile, tmp_path) is None
    with pytest.raises(Unavailable):
        engine.node().head()
    engine.stop()


def test_anvil_keeps_its_chain_over_a_restart(tmp_path: Path) -> None:
    skip_if_missing("anvil")
    profile = profile_by_hand("anvil", state_interval_s=1)
    engine = start_engine(profile, tmp_path, root=ROOT, fund={b"\x07" * 20: 5})
    for _ in range(3):
        engine.rpc().call("evm_mine")
    before = engine.node().header(0), engine.node().head()
    engine.stop()
    engine = start_engine(profile, tmp_path, root=ROOT, fund={b"\x07" * 20: 99})
    try:
        assert (engine.node().header(0), engine.node().head()) == before
        assert engine.node().balance(b"\x07" * 20, 3) == 5
    finally:
        engine.stop()


@pytest.mark.parametrize("name", ENGINES)
def test_blocks_come_by_themselves_and_keep_real_time(name: str, tmp_path: Path) -> None:
    skip_if_missing(name)
    profile = profile_by_hand(name, block_interval_ms=1000)
    engine = start_engine(profile, tmp_path, root=ROOT)
    try:
        node = engine.node()
        deadline = time.monotonic() + 20
        while node.head().number < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        headers = [h for h in node.headers([1, 2, 3]) if h is not None]
        assert len(headers) == 3
        assert abs(node.head().timestamp - time.time()) < 3
        for earlier, later in pairwise(headers):
            assert later.parent_hash == earlier.hash
            assert later.timestamp > earlier.timestamp
        node.rpc.call("evm_increaseTime", 5000)
        height = node.head().number
        while node.head().number < height + 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert 4990 < node.head().timestamp - time.time() < 5003
    finally:
        engine.stop()


def test_another_chain_than_the_one_in_the_file_is_refused(tmp_path: Path) -> None:
    engine = start_engine(profile_by_hand("tester"), tmp_path, root=ROOT)
    try:
        remote = dataclasses.replace(load_profile(ROOT / "chain.toml", "remote"), url=engine.url)
        with pytest.raises(Broken, match=r"as chain\.toml says"):
            start_engine(remote, tmp_path / "other", root=ROOT)
        same = dataclasses.replace(remote, chain_id=engine.profile.chain_id)
        attached = start_engine(same, tmp_path / "other", root=ROOT)
        assert attached.pid is None
        attached.stop()
        assert engine.node().head().number == 0
    finally:
        engine.stop()


def test_an_engine_that_cannot_start_says_why(tmp_path: Path) -> None:
    skip_if_missing("anvil")
    with pytest.raises(Unavailable, match="hardfork"):
        start_engine(profile_by_hand("anvil", hardfork="no-such-fork"), tmp_path, root=ROOT)


def test_a_missing_binary_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="make setup-dev"):
        start_engine(profile_by_hand("anvil"), tmp_path, root=tmp_path)


def test_a_pid_of_another_process_is_not_stopped() -> None:
    me = this_process()
    assert me.is_alive()
    stranger = ProcessId(me.pid, "another start")
    assert not stranger.is_alive()
    stranger.stop()
    assert identify(2**22 + 1) is None


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "chain.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('kind = "hardhat"', "kind is one of"),
        ("finality_depth = -1", "whole number"),
        ("finality_depth = 1.5", "whole number"),
        ("finality_depth = true", "whole number"),
        ("hardfork = 3", "must be text"),
        ("colour = 3", "not a known field"),
        ('url = "http://x"', "kind remote"),
        ("fees = { priority_wei = 0 }", "lacks base_fee_percent"),
    ],
)
def test_a_profile_that_says_something_wrong_is_refused(
    tmp_path: Path, change: str, message: str
) -> None:
    original = (ROOT / "chain.toml").read_text()
    key = change.partition(" ")[0]
    lines = original[original.index("[engines.tester]") :].splitlines()
    end = next(i for i, line in enumerate(lines[1:], 1) if not line.strip())
    section = [line for line in lines[1:end] if not line.startswith(key + " ")]
    head = original[: original.index("[engines.tester]")]
    text = head + "\n".join(["[engines.tester]", *section, change]) + "\n"
    with pytest.raises(InvalidInput, match=message):
        load_profile(write(tmp_path, text), "tester")


def test_an_unknown_engine_or_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no engine 'mars'"):
        load_profile(ROOT / "chain.toml", "mars")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_profile(tmp_path / "none.toml", "tester")
    with pytest.raises(InvalidInput, match="not TOML"):
        load_profile(write(tmp_path, "a = = 1"), "tester")
