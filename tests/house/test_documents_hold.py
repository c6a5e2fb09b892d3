"""Links of the documents resolve, and every command that they show exists."""

from __future__ import annotations

import json
import re
import shlex
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tests.house.source_tree import ROOT, below, files, shown

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)[^)]*\)|!\[[^\]]*\]\(([^)\s]+)[^)]*\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
SHELL = frozenset(("sh", "bash", "shell", "console", ""))


def documents() -> list[Path]:
    return [path for path in files() if path.suffix == ".md" and "tests" not in path.parts]


def anchor(heading: str) -> str:
    """The name that a heading gets in a rendered page."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower().replace(" ", "-")


def dead_links(path: Path, text: str) -> list[str]:
    """Relative links that lead nowhere; addresses of other places are not asked."""
    prose = CODE.sub("", FENCE.sub("", text))
    targets = [first or second for first, second in LINK.findall(prose)]
    return [link for link in targets if "://" not in link and not _leads(path, text, link)]


def _leads(path: Path, text: str, link: str) -> bool:
    name, _, part = link.partition("#")
    target = path if not name else (path.parent / name).resolve()
    if not target.exists():
        return False
    if not part or target.suffix != ".md":
        return True
    there = text if target == path else target.read_text()
    return part in {anchor(heading) for heading in HEADING.findall(there)}


def commands(text: str) -> list[list[str]]:
    """Every `make ...` and `settle ...` that a document shows, in blocks and in the line."""
    lines = [
        line.strip().removeprefix("$ ").partition(" #")[0]
        for language, block in FENCE.findall(text)
        if language in SHELL
        for line in block.splitlines()
    ]
    lines += CODE.findall(FENCE.sub("", text))
    found = []
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError:
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if len(words) > 1 and words[0].rpartition("/")[2] in ("make", "settle"):
            found.append([words[0].rpartition("/")[2], *words[1:]])
    return found


@cache
def make_targets() -> frozenset[str]:
    return frozenset(re.findall(r"^\.PHONY: (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE))


@cache
def settle_commands() -> Any:
    """The tree of the command line's nouns and verbs; None while there is no command line."""
    if find_spec("settle.cli") is None or find_spec("settle.cli.main") is None:
        return None
    import typer

    from settle.cli.main import app

    return typer.main.get_command(app)


def unknown(command: list[str]) -> bool:
    """Whether the Makefile or the command line does not know a command."""
    tool, *words = command
    plain = [word for word in words if not word.startswith("-") and "=" not in word]
    if tool == "make":
        return not plain or any(word not in make_targets() for word in plain)
    if not re.fullmatch(r"[a-z][a-z-]*", words[0]):  # an option or a place for a word
        return False
    node = settle_commands()
    for word in words:
        if not getattr(node, "commands", None):
            return node is None
        if word.startswith("-") or not re.fullmatch(r"[a-z][a-z0-9-]*", word):
            return False  # options may hold values; what follows is not a noun
        if word not in node.commands:
            return True
        node = node.commands[word]
    return False


def test_links_resolve() -> None:
    findings = [
        f"{shown(path)}: {link}"
        for path in documents()
        for link in dead_links(path, path.read_text())
    ]
    assert not findings, "\n".join(findings)


def test_commands_exist() -> None:
    findings = [
        f"{shown(path)}: {' '.join(command)}"
        for path in documents()
        for command in commands(path.read_text())
        if unknown(command)
    ]
    assert not findings, "\n".join(findings)


def test_what_the_pipeline_calls_exists() -> None:
    pipeline = (ROOT / ".ci" / "run").read_text()
    called = re.findall(r"^\s*(?:\w+ )?make ([a-z -]+?)$", pipeline, re.MULTILINE)
    assert called
    assert {word for line in called for word in line.split()} <= make_targets()


def test_every_make_target_is_described() -> None:
    described = re.findall(r"^## ([a-z-]+): ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(described) == make_targets()


def test_published_gas_is_the_measured_one() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "gas.json").read_text())
    page = (ROOT / "docs" / "gas.md").read_text()
    figures = {name: f"{value:,}" for name, value in measured.items() if isinstance(value, int)}
    assert {"dvp_signed", "settle_many_100_per_trade", "escrow_open_fund_release"} <= set(figures)
    missing = {name: figure for name, figure in figures.items() if figure not in page}
    assert not missing, f"docs/gas.md does not say {missing}"


def test_scripts_can_be_run() -> None:
    for path in below("scripts", ".ci", "tests/canary", suffix=""):
        assert path.stat().st_mode & 0o111, f"{shown(path)} is not executable"


def test_a_dead_link_and_an_unknown_command_are_seen() -> None:
    readme = ROOT / "README.md"
    assert dead_links(readme, "[x](docs/none.md)") == ["docs/none.md"]
    assert dead_links(readme, "# Here\n[x](#there) [y](#here)") == ["#there"]
    assert not dead_links(readme, "`[x](none)` [mail](https://example.com/none)")
    assert commands("```sh\n$ make demo # runs\n```\nor `make tset`") == [
        ["make", "demo"],
        ["make", "tset"],
    ]
    assert unknown(["make", "tset"])
    assert not unknown(["make", "demo"])
