"""What a mutant is, and which ones a source has.

The operators are those of slither-mutate 0.11, found on the syntax tree instead of by matching
text, so that two of one kind in a statement are two mutants, and with three differences:

- Assembly, which slither-mutate passes over, is changed by AOR, BOR and ROR too.
- FHR is left out: a header's visibility and mutability change nothing that runs.
- What is the same program by construction is left out: ++k for k++ where nobody reads the value,
  the removal of `if (x) revert` beside the removal of its `revert`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from . import operators

Json = dict[str, Any]

SIMPLE = {
    "ExpressionStatement",
    "RevertStatement",
    "EmitStatement",
    "Return",
    "Break",
    "Continue",
    "InlineAssembly",
}
BLOCKS = {"Block", "UncheckedBlock"}


class Form(StrEnum):
    """How a mutant is put beside the original, so that a switch chooses at run time."""

    INSERT = "insert"
    SKIP = "skip"
    STATEMENT = "statement"
    DECLARATION = "declaration"
    EXPRESSION = "expression"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes of a source, from `start` to before `end`."""

    start: int
    end: int

    @classmethod
    def of(cls, node: Json) -> Span:
        """Return where a node of the syntax tree lies."""
        start, length, _ = (int(part) for part in node["src"].split(":"))
        return cls(start=start, end=start + length)

    def meets(self, other: Span) -> bool:
        """Tell whether the two share a byte."""
        return self.start < other.end and other.start < self.end

    def text(self, source: bytes) -> str:
        """Return the bytes as one line of text."""
        return " ".join(source[self.start : self.end].decode().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One small change.

    Attributes:
        carrier: the statement or condition that is there twice, original and mutant.
        edit: what is replaced within the carrier, by `becomes`; for INSERT and SKIP the carrier.
        within: the text of the carrier, in one line.
        names: for a declaration, the types and names that it declares, and its value.
        occurrence: which of several that read alike within one function.
    """

    source: str
    function: str
    operator: str
    form: Form
    carrier: Span
    edit: Span
    within: str
    was: str
    becomes: str
    line: int
    names: tuple[tuple[tuple[str, str], ...], Span] | None = None
    occurrence: int = 0

    @property
    def contract(self) -> str:
        """The name under which results are told: that of the source's file."""
        return self.source.rpartition("/")[2].removesuffix(".sol")

    @property
    def kind(self) -> str:
        """`revert` if the change reverts or skips a statement, `tweak` if it alters one."""
        return "revert" if self.operator in {"RR", "CR"} else "tweak"

    @property
    def key(self) -> str:
        """What stays the same while the mutated text does, wherever it moves in its function."""
        parts = (self.source, self.function, self.operator, self.within, self.was, self.becomes)
        return hashlib.sha256("\0".join((*parts, str(self.occurrence))).encode()).hexdigest()[:16]


def mutants_of(source: str, tree: Json, text: bytes) -> list[Mutant]:
    """List every mutant of a source, in the order of the text, each with a key of its own."""
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for name, body in functions(tree):
        for mutant in _Walk(source, name, text).block(body):
            found.append(replace(mutant, occurrence=seen[mutant.key]))
            seen[mutant.key] += 1
    return found


def functions(node: Any) -> Iterator[tuple[str, Json]]:  # noqa: ANN401 - any part of a tree
    """Iterate over the functions and modifiers of a tree that have a body."""
    if isinstance(node, list):
        for inner in node:
            yield from functions(inner)
    elif isinstance(node, dict):
        if node.get("nodeType") in {"FunctionDefinition", "ModifierDefinition"}:
            if node.get("body"):
                yield node["name"] or node.get("kind", ""), node["body"]
            return
        yield from functions(node.get("nodes", []))


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk over the statements of one function."""

    source: str
    function: str
    text: bytes

    def block(self, node: Json) -> Iterator[Mutant]:
        """Take the statements one by one, nested ones behind what holds them."""
        for statement in node["statements"]:
            yield from self.statement(statement)

    def statement(self, node: Json) -> Iterator[Mutant]:
        kind = node["nodeType"]
        span = Span.of(node)
        if kind in BLOCKS:
            yield from self.block(node)
        elif kind in SIMPLE:
            span = self.whole(span)
            if kind != "RevertStatement":
                yield self.mutant("RR", Form.INSERT, span, span, "revert()")
            yield self.mutant("CR", Form.SKIP, span, span, "")
            yield from self.tweaks(node, Form.STATEMENT, span)
        elif kind == "VariableDeclarationStatement":
            span = self.whole(span)
            yield self.mutant("RR", Form.INSERT, span, span, "revert()", names=self.declared(node))
            yield from self.declaration(node, span)
        elif kind == "IfStatement":
            if not self.only_reverts(node):
                span = self.whole(span)
                yield self.mutant("CR", Form.SKIP, span, span, "")
            yield from self.condition(node["condition"], "MIA", ["true", "false"])
            for part in ("trueBody", "falseBody"):
                if node.get(part):
                    yield from self.statement(node[part])
        elif kind in {"ForStatement", "WhileStatement"}:
            yield from self.loop(node, span)

    def loop(self, node: Json, span: Span) -> Iterator[Mutant]:
        span = self.whole(span)
        yield self.mutant("CR", Form.SKIP, span, span, "")
        if node.get("initializationExpression"):
            yield from self.opening(node["initializationExpression"])
        if node.get("condition"):
            yield from self.condition(node["condition"], "MWA", [])
        if node.get("loopExpression"):
            inner = node["loopExpression"]["expression"]
            yield from self.tweaks(inner, Form.EXPRESSION, Span.of(inner))
        yield from self.statement(node["body"])

    def whole(self, span: Span) -> Span:
        """Return the span with the semicolon that the compiler leaves out."""
        rest = self.text[span.end :]
        blank = len(rest) - len(rest.lstrip())
        return replace(span, end=span.end + blank + 1) if rest.lstrip()[:1] == b";" else span

    def only_reverts(self, node: Json) -> bool:
        """Tell whether an `if` does nothing but revert: to skip it is to skip its revert."""
        body = node["trueBody"]
        inner = body["statements"] if body["nodeType"] in BLOCKS else [body]
        only = len(inner) == 1 and inner[0]["nodeType"] == "RevertStatement"
        return only and not node.get("falseBody")

    def condition(self, node: Json, operator: str, values: list[str]) -> Iterator[Mutant]:
        span = Span.of(node)
        for becomes in (*values, f"!({span.text(self.text)})"):
            yield self.mutant(operator, Form.EXPRESSION, span, span, becomes)
        yield from self.tweaks(node, Form.EXPRESSION, span)

    def opening(self, node: Json) -> Iterator[Mutant]:
        """Take the first part of a `for`, where no statement fits."""
        value = node.get("initialValue")
        if not value:
            return
        span = Span.of(value)
        for becomes in operators.literals(node):
            yield self.mutant("LIR", Form.EXPRESSION, span, span, becomes)
        yield from self.tweaks(value, Form.EXPRESSION, span)

    def declaration(self, node: Json, span: Span) -> Iterator[Mutant]:
        value = node.get("initialValue")
        if not value:
            return
        names = self.declared(node)
        assert names is not None
        place = Span.of(value)
        # A pointer into storage or calldata must be given a value, or the compiler refuses.
        if not any(kind.endswith((" storage", " calldata")) for kind, _ in names[0]):
            removal = "MVIV" if value["nodeType"] == "Literal" else "MVIE"
            yield self.mutant(removal, Form.DECLARATION, span, place, "", names=names)
        for becomes in operators.literals(node):
            yield self.mutant("LIR", Form.DECLARATION, span, place, becomes, names=names)
        for operator, inner, becomes in operators.tweaks(value, self.text):
            edit = Span(start=inner[0], end=inner[1])
            yield self.mutant(operator, Form.DECLARATION, span, edit, becomes, names=names)

    def declared(self, node: Json) -> tuple[tuple[tuple[str, str], ...], Span] | None:
        """Return type and name of each declared variable, and where the value is."""
        parts = []
        for variable in node["declarations"]:
            if variable is None:
                parts.append(("", ""))
                continue
            text = Span.of(variable).text(self.text)
            parts.append((text.removesuffix(variable["name"]).strip(), variable["name"]))
        value = node.get("initialValue")
        return (tuple(parts), Span.of(value)) if value else None

    def tweaks(self, node: Json, form: Form, carrier: Span) -> Iterator[Mutant]:
        for operator, inner, becomes in operators.tweaks(node, self.text):
            yield self.mutant(operator, form, carrier, Span(start=inner[0], end=inner[1]), becomes)

    def mutant(
        self,
        operator: str,
        form: Form,
        carrier: Span,
        edit: Span,
        becomes: str,
        *,
        names: tuple[tuple[tuple[str, str], ...], Span] | None = None,
    ) -> Mutant:
        return Mutant(
            source=self.source,
            function=self.function,
            operator=operator,
            form=form,
            carrier=carrier,
            edit=edit,
            within=carrier.text(self.text),
            was=edit.text(self.text),
            becomes=becomes,
            line=self.text.count(b"\n", 0, edit.start) + 1,
            names=names,
        )
