"""A local venue in a folder: `settle down` ends what `settle up` began, and nothing else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from settle.chain.eip712 import address_of
from settle.chain.engine import RunningEngine, find_engine
from settle.chain.keystore import new_key
from settle.chain.processes import ProcessId, identify
from settle.chain.profile import EngineProfile, load_profile
from settle.cli.profile import PATIENCE_S
from settle.client.client import Client
from settle.client.signer import KeySigner
from settle.domain.errors import Conflict, Unavailable
from settle.domain.ids import to_hex
from settle.local_chain import LocalChain, open_local_chain
from settle.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parents[3]
StateOption = Annotated[
    Path, typer.Option("--state", envvar="SETTLE_STATE", help="folder of the local venue")
]
STATE: Final = Path("var/venue")
_START_S: Final = 60
_STOP_S: Final = 30
_POLL_S: Final = 0.1
_OFFICES: Final = ("operator", "auditor")
_BOUND_TO_THE_CHAIN: Final = ("deployment.json", "engine.json", "venue.db")
_CHILDREN: Final[dict[int, subprocess.Popen[bytes]]] = {}
"""Operators that this process started and must reap. They outlive it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOperator:
    """The operator's process and where it answers."""

    process: ProcessId
    url: str


class State:
    """The folder. Keys of all officers lie in it: it is for one machine and for trying out."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is read yet."""
        self.folder = folder.resolve()

    # -------------------------------------------------------------------------- engine

    def profile(self, engine: str | None = None) -> EngineProfile:
        """Give the engine's profile: the one that is named, or the one of the last `up`.

        Raises: Conflict for another engine than the folder's, Unavailable for an empty folder.
        """
        place = self.folder / "engine.name"
        known = place.read_text().strip() if place.exists() else None
        if known is None and engine is None:
            raise Unavailable(f"no venue in {self.folder}: `settle up` makes one", code="no_venue")
        if known is not None and engine not in {None, known}:
            message = f"{self.folder} belongs to the engine {known}: name another folder"
            raise Conflict("another_engine", message)
        return load_profile(ROOT / "chain.toml", known or engine or "")

    def open_chain(self, engine: str, *, anew: bool = False) -> LocalChain:
        """Start or find the engine, deploy where nothing is deployed.

        `anew` forgets a chain that is gone with its engine, and the database that followed it.
        """
        profile = self.profile(engine)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.folder / "engine.name").write_text(profile.name + "\n")
        gone = (self.folder / "deployment.json").exists() and not (
            find_engine(profile, self.folder) or (self.folder / "chain.json").exists()
        )
        if gone and not anew:
            message = (
                f"the chain of {self.folder} ended with its engine: `settle up --anew` begins "
                "another, and forgets the deployment and the database of that one"
            )
            raise Conflict("chain_gone", message)
        if gone:
            for name in _BOUND_TO_THE_CHAIN:
                for path in self.folder.glob(f"{name}*"):
                    path.unlink()
        return open_local_chain(profile, self.folder, root=ROOT)

    def running_chain(self) -> LocalChain:
        """Give the chain that runs. Raises Unavailable if it does not."""
        profile = self.profile()
        if find_engine(profile, self.folder) is None:
            message = f"the engine of {self.folder} does not run: `settle up`"
            raise Unavailable(message, code="engine_down")
        return open_local_chain(profile, self.folder, root=ROOT)

    def engine(self) -> RunningEngine | None:
        """Find the engine if it runs and is ours."""
        if not (self.folder / "engine.name").exists():
            return None
        found = find_engine(self.profile(), self.folder)
        return None if found is None or found.process is None else found

    # ------------------------------------------------------------------------ operator

    def operator(self) -> RunningOperator | None:
        """Find the operator's process if it runs."""
        last = self._last_operator()
        return last if last is not None and last.process.is_alive() else None

    def _last_operator(self) -> RunningOperator | None:
        try:
            told = json.loads((self.folder / "operator.pid").read_text())
            process = ProcessId(int(told["pid"]), str(told["started"]))
            return RunningOperator(process=process, url=str(told["url"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def start_operator(self, chain: LocalChain, port: int) -> RunningOperator:
        """Start the operator's process and wait until it takes requests.

        Port 0 is that of the last start if it is free, so that participants find it again.
        Raises: Unavailable with the end of its log if it does not come up.
        """
        told = self.folder / "operator.url"
        told.unlink(missing_ok=True)
        log = self.folder / "operator.log"
        environment = {**os.environ, **self._environment(chain)}
        with told.open("wb") as output, log.open("ab") as errors:
            child = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-m", "settle.serve", str(port or self._last_port())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        process = identify(child.pid)
        deadline = time.monotonic() + _START_S
        while not told.read_text().endswith("\n"):
            if process is None or child.poll() is not None or time.monotonic() > deadline:
                child.kill()
                child.wait()
                tail = log.read_text(errors="replace")[-2_000:].strip()
                raise Unavailable(f"the operator did not come up: {tail}", code="operator_start")
            time.sleep(_POLL_S)
        assert process is not None, "it has answered"
        _CHILDREN[child.pid] = child
        url = told.read_text().strip()
        document = {"pid": process.pid, "started": process.started, "url": url}
        (self.folder / "operator.pid").write_text(json.dumps(document) + "\n")
        return RunningOperator(process=process, url=url)

    def _last_port(self) -> int:
        last = self._last_operator()
        port = urlsplit(last.url).port if last is not None else None
        if port is None:
            return 0
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return 0
        return port

    def stop_operator(self) -> bool:
        """Stop the operator's process and no other; whether it ran."""
        running = self.operator()
        if running is None:
            return False
        running.process.stop(patience_s=_STOP_S)
        child = _CHILDREN.pop(running.process.pid, None)
        if child is not None:
            child.wait()
        return True

    def client(self) -> Client:
        """Give the API to the operator. Raises Unavailable if it does not run."""
        running = self.operator()
        if running is None:
            message = f"no operator runs in {self.folder}: `settle up`"
            raise Unavailable(message, code="operator_down")
        signer = KeySigner(self._request_keys()["operator"])
        return Client(running.url, signer, patience_s=PATIENCE_S)

    def database_url(self) -> str:
        """Where the operator keeps its books."""
        return f"sqlite:///{self.folder / 'venue.db'}"

    def settings(self) -> Settings:
        """Give the operator's settings, to act in its place. Raises Unavailable without a chain."""
        chain = self.running_chain()
        return read_settings(
            database_url=self.database_url(),
            chain_toml=ROOT / "chain.toml",
            engine=chain.engine.profile.name,
            rpc_url=chain.engine.url,
            deployment=chain.deployment_file,
            key_file=chain.operator_key_file,
            password_file=chain.password_file,
            log_level="warning",
        )

    def _environment(self, chain: LocalChain) -> Mapping[str, str]:
        keys = {name: to_hex(address_of(key)) for name, key in self._request_keys().items()}
        return {
            "SETTLE_DATABASE_URL": self.database_url(),
            "SETTLE_CHAIN_TOML": str(ROOT / "chain.toml"),
            "SETTLE_ENGINE": chain.engine.profile.name,
            "SETTLE_RPC_URL": chain.engine.url,
            "SETTLE_DEPLOYMENT": str(chain.deployment_file),
            "SETTLE_KEY_FILE": str(chain.operator_key_file),
            "SETTLE_PASSWORD_FILE": str(chain.password_file),
            "SETTLE_OPERATOR_KEYS": json.dumps([keys["operator"]]),
            "SETTLE_AUDITOR_KEYS": json.dumps([keys["auditor"]]),
        }

    def _request_keys(self) -> dict[str, bytes]:
        path = self.folder / "request_keys.json"
        if not path.exists():
            text = json.dumps({name: new_key().hex() for name in _OFFICES})
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
        return {name: bytes.fromhex(text) for name, text in json.loads(path.read_text()).items()}
