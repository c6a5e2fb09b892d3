#!/usr/bin/env python3
"""Compile the contracts and write one artifact per deployed contract.

    scripts/compile.py              write src/settle/artifacts/<Name>.json
    scripts/compile.py Settlement   only the named ones
    scripts/compile.py --check      compile, compare byte for byte, write nothing

Settings stand in contracts/compiler.json. Each deployed contract is compiled from its own
imports alone, so that its code depends on no other file, and a second run over every source
turns each warning of ours into an error. Exit code 1 means a finding, 3 a missing tool.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NewType

import solcx
from solcx.exceptions import SolcError

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "src" / "settle" / "artifacts"
SOLC = ROOT / "scripts" / "solc"
PACKAGE_PREFIX = "@openzeppelin/"

Json = dict[str, Any]
Unit = NewType("Unit", str)
"""Name of a source as the compiler sees it: contracts/src/... or @openzeppelin/contracts/..."""

IMPORT = re.compile(r'^\s*import\b[^;"\']*["\']([^"\']+)["\']', re.MULTILINE)
AST_ID = re.compile(r"\)\d+")


class Finding(Exception):
    """What must be corrected in the sources or the settings."""


def main(arguments: list[str]) -> int:
    """Run the program; the result is the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--artifacts", type=Path, default=ARTIFACTS, help="where they stand")
    parser.add_argument("contract", nargs="*", help="only these; default: all deployed ones")
    options = parser.parse_args(arguments)
    settings: Json = json.loads((CONTRACTS / "compiler.json").read_text())
    if not (ROOT / "node_modules" / "solc").is_dir():
        print("compile: no compiler; run: make setup-dev", file=sys.stderr)
        return 3
    try:
        texts = build(settings, options.contract or settings["deployed"])
        if not options.contract:
            lint(settings)
    except (Finding, SolcError) as finding:
        print(finding, file=sys.stderr)
        return 1
    if options.check:
        return compare(texts, settings, options.artifacts)
    return write(texts, options.artifacts)


def write(texts: dict[str, str], artifacts: Path) -> int:
    """Write the artifacts; a file that would not change is not touched."""
    artifacts.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        path = artifacts / f"{name}.json"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        size = json.loads(text)["size"]
        print(f"{name:16} {size['deployed']:6} bytes deployed, {size['creation']:6} to create")
    return 0


def compare(texts: dict[str, str], settings: Json, artifacts: Path) -> int:
    """Name each committed artifact that differs from a fresh compilation, lacks or is left over."""
    stale = [
        name
        for name, text in texts.items()
        if not (path := artifacts / f"{name}.json").exists() or path.read_text() != text
    ]
    left_over = {path.stem for path in artifacts.glob("*.json")} - set(settings["deployed"])
    for name in [*stale, *sorted(left_over)]:
        print(
            f"{artifacts / name}.json is not what the sources give; run: make compile",
            file=sys.stderr,
        )
    return 1 if stale or left_over else 0


def build(settings: Json, names: Iterable[str]) -> dict[str, str]:
    """Compile each contract by itself, two at a time; the texts of the artifacts by name."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        jobs = {name: pool.submit(artifact, settings, name) for name in names}
        return {name: job.result() for name, job in jobs.items()}


def artifact(settings: Json, name: str) -> str:
    """Return the artifact of one contract: sorted, indented, the same bytes every time."""
    unit = locate(settings, name)
    wanted = ["abi", "storageLayout", "evm.methodIdentifiers"]
    wanted += ["evm.bytecode.object", "evm.bytecode.linkReferences"]
    wanted += ["evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]
    output = run(settings, [unit], {"*": {"": ["ast"]}, unit: {name: wanted}})
    contract = output["contracts"][unit].get(name)
    if contract is None:
        raise Finding(f"{unit} does not define {name}")
    creation, deployed = contract["evm"]["bytecode"], contract["evm"]["deployedBytecode"]
    if creation["linkReferences"]:
        raise Finding(f"{name} wants linked libraries; their functions must be internal")
    abi, methods = with_parts(settings, name, contract)
    content = {
        "contract": f"{unit}:{name}",
        "compiler": {"version": compiler_version(), "settings": settings["settings"]},
        "abi": abi,
        "bytecode": "0x" + creation["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": immutables(deployed["immutableReferences"], output["sources"]),
        "methodIdentifiers": methods,
        "storageLayout": layout(contract["storageLayout"]),
        "size": {
            "creation": len(creation["object"]) // 2,
            "deployed": len(deployed["object"]) // 2,
        },
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def with_parts(settings: Json, name: str, contract: Json) -> tuple[list[Json], Json]:
    """Return the ABI and the selectors of a contract with those of its parts (delegatecall).

    Whoever calls the contract sees one ABI; a test proves that no selector is answered twice.
    """
    abi, methods = list(contract["abi"]), dict(contract["evm"]["methodIdentifiers"])
    for part in settings["parts"].get(name, []):
        unit = locate(settings, part)
        wanted: Json = {unit: {part: ["abi", "evm.methodIdentifiers"]}}
        added = run(settings, [unit], wanted)["contracts"][unit][part]
        abi += [e for e in added["abi"] if e["type"] != "constructor" and e not in abi]
        methods |= added["evm"]["methodIdentifiers"]
    return abi, methods


def lint(settings: Json) -> None:
    """Compile every source of ours without generating code, to see what the compiler warns of."""
    run(settings, sources_of_ours(), {"*": {"*": ["abi"]}})


def run(settings: Json, roots: Iterable[Unit], selection: Json) -> Json:
    """Run the compiler over the roots and their imports. Raises Finding on a warning of ours."""
    output: Json = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {unit: {"content": text} for unit, text in sorted(closure(roots).items())},
            "settings": {**settings["settings"], "outputSelection": selection},
        },
        solc_binary=SOLC,
        allow_empty=True,
    )
    messages = [
        str(message["formattedMessage"])
        for message in output.get("errors", [])
        if message["severity"] == "error"
        or not message.get("sourceLocation", {}).get("file", "").startswith(PACKAGE_PREFIX)
    ]
    if messages:
        raise Finding("\n".join(messages))
    return output


def sources_of_ours() -> list[Unit]:
    """Return every source under contracts/src."""
    paths = sorted((CONTRACTS / "src").rglob("*.sol"))
    return [Unit(path.relative_to(ROOT).as_posix()) for path in paths]


def locate(settings: Json, name: str) -> Unit:
    """Return the source that defines a deployed contract."""
    if library := settings["libraries"].get(name):
        return Unit(library)
    found = [unit for unit in sources_of_ours() if unit.rpartition("/")[2] == f"{name}.sol"]
    if len(found) != 1:
        raise Finding(f"{name}: expected one {name}.sol under contracts/src, found {found}")
    return found[0]


def closure(roots: Iterable[Unit]) -> dict[Unit, str]:
    """Return the roots and everything they import, by name."""
    texts: dict[Unit, str] = {}
    waiting = list(roots)
    while waiting:
        unit = waiting.pop()
        if unit in texts:
            continue
        base = ROOT / "node_modules" if unit.startswith(PACKAGE_PREFIX) else ROOT
        try:
            texts[unit] = (base / unit).read_text()
        except FileNotFoundError:
            raise Finding(f"{unit} is imported and does not exist") from None
        waiting += [resolve(unit, target) for target in IMPORT.findall(texts[unit])]
    return texts


def resolve(importer: Unit, target: str) -> Unit:
    """Return the source that an import names; ./ and ../ are taken from the importer's folder."""
    if not target.startswith("."):
        return Unit(target)
    parts = importer.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return Unit("/".join(parts))


def layout(raw: Json) -> Json:
    """Return the storage layout without the syntax-tree numbers that type ids carry."""
    types: Json = {}
    for key, described in (raw.get("types") or {}).items():
        clean = anonymous(described)
        if types.setdefault(AST_ID.sub(")", key), clean) != clean:
            raise Finding(f"two types of the storage layout are both called {AST_ID.sub(')', key)}")
    return {"storage": anonymous(raw["storage"]), "types": types}


def anonymous(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a part of the layout without syntax-tree numbers."""
    match value:
        case dict():
            return {key: anonymous(inner) for key, inner in value.items() if key != "astId"}
        case list():
            return [anonymous(inner) for inner in value]
        case str():
            return AST_ID.sub(")", value)
        case _:
            return value


def immutables(references: Json, sources: Json) -> Json:
    """Name where immutables stand in the deployed code: "Base._name" -> [{length, start}]."""
    names: dict[str, str] = {}
    for source in sources.values():
        for contract in source["ast"]["nodes"]:
            if contract["nodeType"] == "ContractDefinition":
                for node in variables(contract):
                    names[str(node["id"])] = f"{contract['name']}.{node['name']}"
    return {
        names[key]: sorted(places, key=lambda place: int(place["start"]))
        for key, places in references.items()
    }


def variables(contract: Json) -> Iterator[Json]:
    """Iterate over the state variables and immutables of a contract."""
    return (node for node in contract["nodes"] if node["nodeType"] == "VariableDeclaration")


def compiler_version() -> str:
    """Return the full version of the compiler, with its commit."""
    return str(solcx.wrapper.get_version_str_from_solc_binary(SOLC))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
