"""Three rings: domain, services, adapters. An import may point inward, never outward."""

from __future__ import annotations

import ast

from tests.house.source_tree import Import, below, imports, module_of, shown

# Modules through which the outside world comes in. The domain is told what it needs to know.
OUTSIDE_WORLD = frozenset(
    "asyncio ftplib http io logging multiprocessing os pathlib random secrets select selectors "
    "shutil signal smtplib socket socketserver sqlite3 ssl subprocess sys tempfile threading time "
    "urllib".split()
)
# What the domain may have of others: a hash function. It is neither I/O nor a clock.
PURE_PACKAGES = frozenset(("eth_hash", "Crypto"))
TOOLS = frozenset(
    "alembic eth_account eth_tester eth_abi fastapi httpx lxml psycopg pydantic rich sqlalchemy "
    "starlette structlog typer uvicorn web3".split()
)
CLOCKS_AND_STREAMS = frozenset(("now", "utcnow", "today", "fromtimestamp"))
STREAM_CALLS = frozenset(("open", "print", "input"))

# Ring -> what of the package it may import. A ring that is not named is an adapter.
INNER = {
    "settle.domain": ("settle.domain",),
    "settle.services": ("settle.domain", "settle.services"),
}
# Whom the auditor must not believe: what it checks was written by these.
NOT_FOR_THE_AUDITOR = ("settle.chain", "settle.store", "settle.services", "settle.api")
# The edges, and who composes them. Nobody else may import them.
EDGES = {
    "settle.cli": ("settle.cli", "settle.__main__"),
    # The watched loops and the gauges are of the composition; the demo plays every part.
    "settle.api": (
        "settle.api",
        "settle.web",
        "settle.cli",
        "settle.bootstrap",
        "settle.background",
        "settle.gauges",
        "settle.demo",
    ),
    "settle.web": ("settle.web", "settle.api", "settle.cli", "settle.bootstrap"),
}


def within(module: str, rings: tuple[str, ...]) -> bool:
    return any(module == ring or module.startswith(f"{ring}.") for ring in rings)


def outward(module: str, found: Import) -> str:
    """Say what is wrong with one import of a module; empty if nothing is."""
    target, top = found.module, found.module.partition(".")[0]
    of_ours = top == "settle"
    for ring, allowed in INNER.items():
        if within(module, (ring,)) and of_ours and not within(target, allowed):
            return f"{ring} imports {target}, which lies further out"
    if within(module, ("settle.domain",)) and not of_ours:
        if top in OUTSIDE_WORLD:
            return f"settle.domain imports {top}: I/O and clocks are for adapters"
        if top in TOOLS and top not in PURE_PACKAGES:
            return f"settle.domain imports {top}, a tool"
    if within(module, ("settle.services",)) and top in TOOLS and not found.for_types_only:
        return f"settle.services imports {top}: name the need as a port"
    if within(module, ("settle.audit",)) and within(target, NOT_FOR_THE_AUDITOR):
        return f"settle.audit imports {target}, which it has to check"
    for edge, allowed in EDGES.items():
        if of_ours and within(target, (edge,)) and not within(module, allowed):
            return f"{module} imports {target}: nothing inside knows the edge"
    return ""


def impure_calls(text: str) -> list[str]:
    """Calls in a pure module that read a clock or a stream."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [
        f"{call.lineno}: {ast.unparse(call.func)}()"
        for call in calls
        if (isinstance(call.func, ast.Attribute) and call.func.attr in CLOCKS_AND_STREAMS)
        or (isinstance(call.func, ast.Name) and call.func.id in STREAM_CALLS)
    ]


def test_imports_point_inward() -> None:
    findings = [
        f"{shown(path)}:{found.line}: {fault}"
        for path in below("src/settle")
        for found in imports(
            path.read_text(), module_of(path), is_package=path.name == "__init__.py"
        )
        if (fault := outward(module_of(path), found))
    ]
    assert not findings, "\n".join(findings)


def test_the_domain_reads_no_clock_and_no_stream() -> None:
    findings = [
        f"{shown(path)}:{call}"
        for path in below("src/settle/domain")
        for call in impure_calls(path.read_text())
    ]
    assert not findings, "\n".join(findings)


def test_an_outward_import_is_seen() -> None:
    wrong = {
        "settle.domain.money": "import os",
        "settle.domain.trade": "from settle.services.ports import Store",
        "settle.domain.books": "from web3 import Web3",
        "settle.services.submit_side": "from ..store import tables",
        "settle.services.sign": "import sqlalchemy",
        "settle.audit.replay": "from settle import chain",
        "settle.store.tables": "from settle.cli.main import app",
        "settle.chain.sender": "from settle.api import problems",
    }
    for module, text in wrong.items():
        assert [outward(module, found) for found in imports(text, module)] != [""], module


def test_an_inward_import_is_welcome() -> None:
    right = {
        "settle.domain.money": "from decimal import Decimal",
        "settle.services.sign": "if TYPE_CHECKING:\n    from sqlalchemy import Connection",
        "settle.store.tables": "from settle.domain.ids import Lei",
        "settle.audit.replay": "from settle.domain import books",
        "settle.cli.main": "from settle.api.app import create",
    }
    for module, text in right.items():
        assert [outward(module, found) for found in imports(text, module)] == [""], module


def test_a_clock_is_seen() -> None:
    assert impure_calls("from datetime import datetime\nx = datetime.now()") == [
        "2: datetime.now()"
    ]
    assert impure_calls("open('x')") == ["1: open()"]
