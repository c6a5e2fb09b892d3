"""Starts, finds and stops the chain engine of a profile. Nothing else asks which engine it is."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.chain import wire
from settle.chain.node import Node
from settle.chain.processes import ProcessId, free_port, identify
from settle.chain.rpc import Rpc
from settle.domain.errors import Broken, Conflict, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from settle.chain.profile import EngineProfile

_START_S: Final = 30
_POLL_S: Final = 0.05
_LOG_TAIL: Final = 2_000
_PORT_TRIES: Final = 3
_ANVIL_PACKAGES: Final = {
    ("Linux", "x86_64"): "anvil-linux-amd64",
    ("Linux", "aarch64"): "anvil-linux-arm64",
    ("Darwin", "x86_64"): "anvil-darwin-amd64",
    ("Darwin", "arm64"): "anvil-darwin-arm64",
}

_CHILDREN: Final[dict[int, subprocess.Popen[bytes]]] = {}
"""Engines that this process started and must reap. They may outlive it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningEngine:
    """An engine that answers. `process` is None where it is not ours to stop."""

    profile: EngineProfile
    url: str
    process: ProcessId | None

    @property
    def pid(self) -> int | None:
        """The engine's process, None for a remote one."""
        return None if self.process is None else self.process.pid

    def rpc(self) -> Rpc:
        """Speak to it with the batches it takes."""
        return Rpc(self.url, max_batch=self.profile.rpc_batch)

    def node(self) -> Node:
        """Read it."""
        return Node(self.rpc())

    def stop(self) -> None:
        """End the process; a remote engine goes on."""
        if self.process is not None:
            self.process.stop()
            child = _CHILDREN.pop(self.process.pid, None)
            if child is not None:
                child.wait()


def start_engine(
    profile: EngineProfile,
    state_dir: Path,
    *,
    root: Path,
    fund: Mapping[bytes, int] | None = None,
) -> RunningEngine:
    """Start the engine in a process of its own, which outlives this one, and wait for its answer.

    `state_dir` keeps its state, its log and engine.json. `root` is where node_modules lies. `fund`
    is wei by address, given at the chain's first start. A remote engine is only looked at.
    Raises Conflict if one runs here already, Unavailable if it does not start, Broken if the chain
    that answers is another.
    """
    if profile.kind == "remote":
        return _answering(RunningEngine(profile=profile, url=profile.url, process=None), _log="")
    state_dir.mkdir(parents=True, exist_ok=True)
    if find_engine(profile, state_dir) is not None:
        raise Conflict("engine_running", f"an engine runs in {state_dir} already")
    first_start = not (state_dir / "chain.json").exists()
    funds = dict(fund or {})
    if profile.kind == "tester":
        engine = _start_tester(profile, state_dir, funds)
    else:
        engine = _start_anvil(profile, state_dir, root)
        if first_start:
            rpc = engine.rpc()
            for address, wei in funds.items():
                rpc.call("anvil_setBalance", wire.data(address), wire.quantity(wei))
    _remember(engine, state_dir)
    return engine


def find_engine(profile: EngineProfile, state_dir: Path) -> RunningEngine | None:
    """Find the engine that an earlier start left running, None if it is gone."""
    if profile.kind == "remote":
        return RunningEngine(profile=profile, url=profile.url, process=None)
    try:
        told = json.loads((state_dir / "engine.json").read_text())
        process = ProcessId(int(told["pid"]), str(told["started"]))
        url = str(told["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not process.is_alive():
        return None
    return RunningEngine(profile=profile, url=url, process=process)


def anvil_binary(root: Path) -> Path:
    """Find anvil's native binary. Raises Unavailable that says how to get it."""
    package = _ANVIL_PACKAGES.get((platform.system(), platform.machine()))
    if package is not None:
        binary = root / "node_modules" / "@foundry-rs" / package / "bin" / "anvil"
        if binary.exists():
            return binary
    found = shutil.which("anvil")
    if found is not None:
        return type(root)(found)
    raise Unavailable("anvil is not installed: `make setup-dev` brings it", code="anvil_missing")


def _start_tester(
    profile: EngineProfile, state_dir: Path, fund: Mapping[bytes, int]
) -> RunningEngine:
    port_file = state_dir / "port"
    port_file.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "settle.chain.tester_server"),
        *("--chain-id", str(profile.chain_id), "--gas-limit", str(profile.block_gas_limit)),
        *("--interval-ms", str(profile.block_interval_ms), "--port-file", str(port_file)),
    ]
    for address, wei in fund.items():
        command += ["--fund", f"{wire.data(address)}={wei}"]
    child, log = _spawn(command, state_dir)
    deadline = time.monotonic() + _START_S
    while not port_file.exists():
        _still_starting(child, log, deadline)
    return _ready(profile, child, port_file.read_text(), log)


def _start_anvil(profile: EngineProfile, state_dir: Path, root: Path) -> RunningEngine:
    binary = str(anvil_binary(root))
    for attempt in range(1, _PORT_TRIES + 1):
        port = free_port()
        command = [
            *(binary, "--port", str(port), "--chain-id", str(profile.chain_id), "--accounts", "0"),
            *("--hardfork", profile.hardfork, "--gas-limit", str(profile.block_gas_limit)),
            *("--order", "fifo", "--quiet", "--no-request-size-limit"),
        ]
        # Mining at once jams with JSON-RPC batches: by interval, or only when asked.
        if profile.block_interval_ms:
            command += ["--block-time", f"{profile.block_interval_ms / 1000:g}"]
        else:
            command += ["--no-mining"]
        if profile.state_interval_s:
            command += ["--state", str(state_dir / "chain.json"), "--preserve-historical-states"]
            command += ["--state-interval", str(profile.state_interval_s)]
        child, log = _spawn(command, state_dir)
        try:
            return _ready(profile, child, str(port), log)
        except Unavailable:
            # Somebody may have taken the port in between.
            if attempt == _PORT_TRIES:
                raise
    raise AssertionError


def _spawn(command: list[str], state_dir: Path) -> tuple[subprocess.Popen[bytes], Path]:
    log = state_dir / "engine.log"
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    return child, log


def _ready(
    profile: EngineProfile, child: subprocess.Popen[bytes], port: str, log: Path
) -> RunningEngine:
    process = identify(child.pid)
    engine = RunningEngine(profile=profile, url=f"http://127.0.0.1:{port}", process=process)
    deadline = time.monotonic() + _START_S
    while True:
        try:
            answering = _answering(engine, _log=_tail(log))
            _CHILDREN[child.pid] = child
            return answering
        except Unavailable:
            _still_starting(child, log, deadline)


def _still_starting(child: subprocess.Popen[bytes], log: Path, deadline: float) -> None:
    if child.poll() is not None:
        raise Unavailable(f"the engine ended at its start: {_tail(log)}", code="engine_ended")
    if time.monotonic() > deadline:
        child.kill()
        child.wait()
        raise Unavailable(f"the engine gave no answer: {_tail(log)}", code="engine_silent")
    time.sleep(_POLL_S)


def _answering(engine: RunningEngine, *, _log: str) -> RunningEngine:
    chain_id = engine.node().chain_id()
    if chain_id != engine.profile.chain_id:
        raise Broken(
            f"the engine at {engine.url} is chain {chain_id}, not {engine.profile.chain_id} "
            f"as chain.toml says of {engine.profile.name}. {_log}".strip(),
            code="chain_id",
        )
    return engine


def _remember(engine: RunningEngine, state_dir: Path) -> None:
    assert engine.process is not None, "only started engines get here"
    told = {
        "engine": engine.profile.name,
        "url": engine.url,
        "pid": engine.process.pid,
        "started": engine.process.started,
    }
    written = state_dir / "engine.json.new"
    written.write_text(json.dumps(told) + "\n")
    written.replace(state_dir / "engine.json")


def _tail(log: Path) -> str:
    try:
        return log.read_text(errors="replace")[-_LOG_TAIL:].strip()
    except OSError:
        return ""
