"""What is locked is what is asked for, with a hash for every file; settings agree everywhere."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.source_tree import ROOT, below

REQUIREMENTS = ROOT / "requirements"
ENTRY = re.compile(r"^(?P<pin>[A-Za-z0-9][^\\\n]*?)\s*\\?\n(?P<rest>(?:[ \t].*\n?)*)", re.MULTILINE)
LOCKS = {
    "bootstrap": ("bootstrap",),
    "demo": ("demo", "build"),
    "dev": ("dev", "demo", "build"),
    "analysis": ("analysis",),
}


def _lines(name: str) -> list[str]:
    return (REQUIREMENTS / name).read_text().splitlines()


def stated(name: str) -> list[Requirement]:
    lines = (line.partition(" #")[0].strip() for line in _lines(f"{name}.in"))
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def locked(name: str) -> dict[str, tuple[str, str]]:
    """Package -> version and the lines that belong to it."""
    found = {}
    for entry in ENTRY.finditer((REQUIREMENTS / f"{name}.txt").read_text()):
        pin = Requirement(entry["pin"])
        version = str(pin.specifier).removeprefix("==")
        found[canonicalize_name(pin.name)] = (version, entry["rest"])
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_locked_at_a_version_that_it_takes(lock: str) -> None:
    pins = locked(lock)
    for requirement in (wish for name in LOCKS[lock] for wish in stated(name)):
        version, _ = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), str(requirement)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(lock: str) -> None:
    pins = locked(lock)
    assert pins
    assert not [name for name, (_, rest) in pins.items() if "--hash=sha256:" not in rest]


def test_the_demo_runs_on_the_versions_that_are_tested() -> None:
    demo, dev = locked("demo"), locked("dev")
    assert {name: demo[name][0] for name in demo} == {name: dev[name][0] for name in demo}


def test_the_package_asks_for_what_the_demo_installs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dynamic = project["tool"]["setuptools"]["dynamic"]["dependencies"]
    assert dynamic == {"file": ["requirements/demo.in"]}


def npm_packages() -> dict[str, Any]:
    packages: dict[str, Any] = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return packages


def test_every_npm_package_has_a_hash_and_no_address() -> None:
    for name, package in npm_packages().items():
        if name:
            assert package["integrity"].startswith("sha512-"), name
            assert "resolved" not in package, name


def test_forge_compiles_as_the_artifacts_are_compiled() -> None:
    compiler = json.loads((ROOT / "contracts" / "compiler.json").read_text())
    settings = compiler["settings"]
    forge = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    assert forge["evm_version"] == settings["evmVersion"]
    assert forge["via_ir"] is settings["viaIR"]
    assert forge["optimizer"] is settings["optimizer"]["enabled"]
    assert forge["optimizer_runs"] == settings["optimizer"]["runs"]
    assert forge["bytecode_hash"] == settings["metadata"]["bytecodeHash"]
    assert forge["cbor_metadata"] is settings["metadata"]["appendCBOR"]
    assert compiler["solc"] == npm_packages()["node_modules/solc"]["version"]


def test_every_contract_names_the_one_compiler() -> None:
    version = json.loads((ROOT / "contracts" / "compiler.json").read_text())["solc"]
    for path in below("contracts", suffix=".sol"):
        pragmas = re.findall(r"^pragma solidity ([^;]+);", path.read_text(), re.MULTILINE)
        assert pragmas == [version], path
