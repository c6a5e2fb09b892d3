"""The repository says what it needs, never from where: no registry, no path of one machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.house.source_tree import files, shown

if TYPE_CHECKING:
    from pathlib import Path

# Put together here, so that this file does not hold what it looks for.
HOSTS = tuple(
    "".join(parts)
    for parts in (
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("yarn", "pkg.com"),
        ("proxy.go", "lang.org"),
        ("sum.go", "lang.org"),
        ("goproxy", ".io"),
        ("crates", ".io"),
        ("soliditylang", ".org"),
        ("anaconda", ".org"),
        ("ghcr", ".io"),
        ("docker", ".io"),
    )
)
FORBIDDEN = re.compile(
    "|".join(
        (
            *(re.escape(host) for host in HOSTS),
            r"(index|registry|resolved)[-_]?(url)?[\"']?\s*[:=]\s*[\"']?https?:",
            r"--(extra-)?index-url[ =]+\S",
            r"(?<![\w.{}$-])/(wo" + r"rk|ro" + r"ot|ho" + r"me)/\w",
        )
    ),
    re.IGNORECASE,
)
BINARY = frozenset((".png", ".ico", ".woff2", ".gz", ".zip"))


def places(text: str) -> list[str]:
    """Lines that name a host of packages or a folder of one machine."""
    return [
        f"{number}: {line.strip()[:120]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if FORBIDDEN.search(line)
    ]


def read(path: Path) -> str:
    return "" if path.suffix in BINARY else path.read_text(errors="replace")


def test_no_file_names_a_host_of_packages_or_a_folder_of_one_machine() -> None:
    findings = [f"{shown(path)}:{line}" for path in files() for line in places(read(path))]
    assert not findings, "\n".join(findings)


def test_no_lock_that_writes_hosts_is_kept() -> None:
    assert not [path for path in files() if path.name in ("uv.lock", "poetry.lock", "Pipfile.lock")]


def test_a_host_is_seen() -> None:
    assert places("https://files.python" + "hosted.org/x.whl")
    assert places('  "resolved": "https' + '://host/x.tgz"')
    assert places("cd /wo" + "rk/main")
    assert not places("make lock  # workers/roots, ./home/x")
