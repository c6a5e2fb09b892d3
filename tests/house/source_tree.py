"""What the house tests read: the files of the project, and what a module imports."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "settle"


class Import(NamedTuple):
    """One imported module, in full; `from a import b` gives a.b, which may be a name in a."""

    module: str
    line: int
    for_types_only: bool


@cache
def files() -> tuple[Path, ...]:
    """Every file of the project, committed or about to be, deleted ones left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def below(*folders: str, suffix: str = ".py") -> list[Path]:
    """Every file of one kind below folders that are named from the root."""
    roots = [ROOT / folder for folder in folders]
    return [
        path
        for path in files()
        if path.suffix == suffix and any(path.is_relative_to(root) for root in roots)
    ]


def shown(path: Path) -> str:
    """The path as findings name it."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """The dotted name of a module of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(text: str, importer: str = "", *, is_package: bool = False) -> list[Import]:
    """Every import of a module, wherever it stands; relative ones made absolute."""
    tree = ast.parse(text)
    types_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for child in node.body
        for inner in ast.walk(child)
    }
    found: list[Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = importer.split(".")
            depth = node.level - is_package
            parents = parents[: len(parents) - depth] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [Import(name, node.lineno, node in types_only) for name in names]
    return found
