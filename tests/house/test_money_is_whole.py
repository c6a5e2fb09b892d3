"""Money is int in the smallest unit. A float in the domain is money that can go astray."""

from __future__ import annotations

import ast

from tests.house.source_tree import below, shown


def floats(text: str) -> list[str]:
    """Where a module names, writes or calls a float: annotations, literals, conversions."""
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
    ]


def test_the_domain_knows_no_float() -> None:
    findings = [
        f"{shown(path)}:{where}"
        for path in below("src/settle/domain")
        for where in floats(path.read_text())
    ]
    assert not findings, "\n".join(findings)


def test_a_float_is_seen() -> None:
    assert floats("def f(x: float) -> int: ...")
    assert floats("x = 0.5")
    assert floats("x = float('1')")
    assert floats("x: list[float] = []")
    assert not floats("x = 10_000 // 3  # 0.5 and float in a comment\ny = 'a float'")
