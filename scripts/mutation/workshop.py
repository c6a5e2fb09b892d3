"""A private copy of the tree in which contracts are compiled with mutants, and tested by forge."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
FORGE = ROOT / "node_modules/@foundry-rs/forge-linux-amd64/bin/forge"
IMPORT = re.compile(r'^\s*import\b[^;"\']*["\']([^"\']+)["\']', re.MULTILINE)
COPIED = ("contracts", "foundry.toml", "scripts", "src/settle/artifacts")
LINKED = ("node_modules", ".venv")
SECONDS = 180
"""A mutant that keeps one run of the tests busy for longer is taken for an endless loop."""

MEASURING = "^WorstTest$"
"""Tests that hold the optimised code to its price: they would fail here with nothing changed."""

# A fuzzed test needs few runs to see a mutant, or many.
QUICK, THOROUGH = "16", "128"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A contract whose code forge deploys or runs, by the artifact that it reads.

    The deployed ones are compiled as the project's, but not optimised, which no test can tell and
    halves the time. Tests of a library carry its code in their own.
    """

    unit: str
    names: tuple[str, ...]
    via_ir: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """What the compiler says is wrong, and where."""

    source: str
    start: int
    message: str


class Broken(Exception):
    """The tests do not pass, or the sources do not compile, before anything is changed."""


class Workshop:
    """The copy, its targets, and the tests."""

    def __init__(self, place: Path, revision: str = "", nice: int = 10) -> None:
        """Copy what git would commit now, or what it holds at a revision."""
        self.place = place
        self.nice = nice
        self.last = ""
        place.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place / "contracts", ignore_errors=True)
        self.copy(revision)
        for name in LINKED:
            if not (place / name).exists():
                (place / name).symlink_to(ROOT / name)
        self.settings: Json = json.loads((place / "contracts/compiler.json").read_text())
        self.sources = {
            path.relative_to(place).as_posix(): path.read_bytes()
            for path in sorted((place / "contracts").rglob("*.sol"))
        }
        self.targets = [*self.deployed(), *self.carrying()]

    def copy(self, revision: str) -> None:
        """Fill the copy."""
        if revision:
            packed = subprocess.run(
                ["git", "archive", revision, *COPIED], cwd=ROOT, check=True, capture_output=True
            ).stdout
            subprocess.run(["tar", "-x"], cwd=self.place, input=packed, check=True)
            return
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *COPIED],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.place / name)

    def without(self, rooms: Iterable[str]) -> None:
        """Leave out rooms of tests, in the copy alone."""
        for room in rooms:
            shutil.rmtree(self.place / "contracts/test" / room)

    # ------------------------------------------------------------------ what there is to compile

    def deployed(self) -> list[Target]:
        """Return our own deployed contracts."""
        return [
            Target(unit=f"contracts/src/{name}.sol", names=(name,), via_ir=True)
            for name in self.settings["deployed"]
            if f"contracts/src/{name}.sol" in self.sources
        ]

    def carrying(self) -> list[Target]:
        """Return the tests that call a library of ours directly, and so carry its code."""
        found = []
        for unit, text in self.sources.items():
            if unit.startswith("contracts/test/Libraries/") and unit.endswith(".t.sol"):
                names = re.findall(r"^contract (\w+)", text.decode(), re.MULTILINE)
                found.append(Target(unit=unit, names=tuple(names), via_ir=False))
        return found

    def affected(self, source: str) -> list[Target]:
        """Return the targets that a source is part of."""
        return [target for target in self.targets if source in self.closure(target.unit)]

    def closure(self, unit: str) -> dict[str, bytes]:
        """Return a source and all that it imports, by name."""
        texts: dict[str, bytes] = {}
        waiting = [unit]
        while waiting:
            name = waiting.pop()
            if name in texts:
                continue
            texts[name] = self.sources.get(name) or (ROOT / "node_modules" / name).read_bytes()
            for imported in IMPORT.findall(texts[name].decode()):
                near = os.path.normpath(os.path.join(os.path.dirname(name), imported))  # noqa: PTH118, PTH120
                waiting.append(near if imported.startswith(".") else imported)
        return texts

    # ------------------------------------------------------------------ compiling

    def solc(self, texts: dict[str, bytes], wanted: Json, *, via_ir: bool = False) -> Json:
        """Run the compiler once; errors are in the answer."""
        question = {
            "language": "Solidity",
            "sources": {name: {"content": text.decode()} for name, text in texts.items()},
            "settings": {
                **self.settings["settings"],
                "viaIR": via_ir,
                "optimizer": {"enabled": False},
                "outputSelection": wanted,
            },
        }
        answer: Json = json.loads(
            subprocess.run(
                ["nice", "-n", str(self.nice), str(self.place / "scripts/solc"), "--standard-json"],
                input=json.dumps(question),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        return answer

    def trees(self) -> dict[str, Json]:
        """Return the syntax tree of every source of ours, by name."""
        texts: dict[str, bytes] = {}
        for name in self.sources:
            if name.startswith("contracts/src/"):
                texts |= self.closure(name)
        answer = self.solc(texts, {"*": {"": ["ast"]}})
        if found := errors(answer):
            raise Broken(found[0].message)
        return {
            name: part["ast"]
            for name, part in answer["sources"].items()
            if name.startswith("contracts/src/")
        }

    def check(self, changed: dict[str, bytes]) -> list[Error]:
        """Return what is wrong with changed sources, code not yet made."""
        texts: dict[str, bytes] = {}
        for name in changed:
            for target in self.affected(name):
                texts |= self.closure(target.unit)
        return errors(self.solc(texts | changed, {"*": {"": ["ast"]}}))

    def install(self, source: str, text: bytes) -> list[Error]:
        """Compile all that a source is part of and put it where forge reads it."""
        for target in self.affected(source):
            if found := self.compile(target, {source: text}):
                return found
        return []

    def compile(self, target: Target, changed: dict[str, bytes]) -> list[Error]:
        """Compile one target with changed sources; the errors, or none and it is installed."""
        wanted = {
            target.unit: {
                name: ["evm.bytecode.object", "evm.deployedBytecode.object"]
                for name in target.names
            }
        }
        texts = self.closure(target.unit) | changed
        answer = self.solc(texts, wanted, via_ir=target.via_ir)
        if found := errors(answer):
            return found
        for name in target.names:
            code = answer["contracts"][target.unit][name]["evm"]
            path = self.place / "build/forge" / target.unit.rpartition("/")[2] / f"{name}.json"
            artifact = json.loads(path.read_text())
            for part in ("bytecode", "deployedBytecode"):
                artifact[part]["object"] = "0x" + code[part]["object"]
            path.write_text(json.dumps(artifact))
        return []

    # ------------------------------------------------------------------ testing

    def prepare(self) -> None:
        """Build the tests, install the unchanged targets, see every test pass. Raises: Broken."""
        self.forge("build")
        for target in self.targets:
            if found := self.compile(target, {}):
                raise Broken(f"{target.unit}: {found[0].message}")
        for stage in ("", "invariant"):
            if not self.passes(stage, 0):
                raise Broken(f"the tests fail before anything is changed: {self.last[-3000:]}")

    def passes(self, stage: str, number: int) -> bool:
        """Run one stage of the tests with mutant `number`; True if none of them notices.

        A stage is a room of tests (quickly), "" for all rooms, or "invariant".
        """
        path = "--no-match-path" if stage == "" else "--match-path"
        where = "contracts/test/{gas,invariant}/**" if stage == "" else f"contracts/test/{stage}/**"
        runs = THOROUGH if stage == "" else QUICK
        return self.forge(
            "test",
            "--fail-fast",
            "--no-match-contract",
            MEASURING,
            "--threads",
            "1",
            path,
            where,
            "--block-prevrandao",
            f"0x{number:064x}",
            FOUNDRY_FUZZ_RUNS=runs,
            FOUNDRY_INVARIANT_RUNS=runs,
            FOUNDRY_INVARIANT_DEPTH="64",
        )

    def forge(self, *arguments: str, **variables: str) -> bool:
        """Run forge in the copy; True if it ends well."""
        try:
            done = subprocess.run(
                ["nice", "-n", str(self.nice), str(FORGE), *arguments],
                cwd=self.place,
                env={**os.environ, **variables},
                timeout=SECONDS,
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        except subprocess.TimeoutExpired:
            self.last = "timeout"
            return False
        self.last = done.stdout
        return done.returncode == 0

    def rooms(self) -> list[str]:
        """Return the rooms of tests: a folder each."""
        folders = (self.place / "contracts/test").iterdir()
        return sorted(path.name for path in folders if any(path.glob("*.t.sol")))

    def digest(self, names: Iterable[str]) -> str:
        """Return a hash over sources: results hold as long as it does not change."""
        parts = (name.encode() + self.sources[name] for name in sorted(names))
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def errors(answer: Json) -> list[Error]:
    """Return the errors of an answer of the compiler."""
    found = []
    for error in answer.get("errors", []):
        if error["severity"] == "error":
            place = error.get("sourceLocation") or {"file": "", "start": -1}
            found.append(
                Error(source=place["file"], start=place["start"], message=error["message"])
            )
    return found
