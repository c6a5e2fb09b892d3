"""The operators that alter an expression: (name, (start, end), what stands there instead)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Tweak = tuple[str, tuple[int, int], str]

ARITHMETIC = ("+", "-", "*", "/", "%")
BITWISE = ("&", "|", "^", "<<", ">>")
RELATIONAL = ("<", ">", "<=", ">=", "==", "!=")
LOGICAL = ("&&", "||")
ASSIGNMENT = ("=", "+=", "-=", "*=", "/=", "%=", "|=", "^=", "&=", "<<=", ">>=")
GROUPS = (("AOR", ARITHMETIC), ("BOR", BITWISE), ("ROR", RELATIONAL), ("LOR", LOGICAL))
YUL = (
    ("AOR", ("add", "sub", "mul", "div", "mod")),
    ("BOR", ("and", "or", "xor", "shl", "shr")),
    ("ROR", ("lt", "gt", "eq")),
)
MEMBERS = {
    ("block", "timestamp"): "0",
    ("msg", "sender"): "tx.origin",
    ("abi", "encode"): "abi.encodePacked",
    ("abi", "encodePacked"): "abi.encode",
}
NARROWER = {"256": "128", "128": "64", "64": "32", "32": "16", "16": "8"}


def tweaks(root: Json, text: bytes) -> Iterator[Tweak]:
    """Iterate over the changes of every operator within an expression or a simple statement."""
    for node in nodes(root):
        match node["nodeType"]:
            case "BinaryOperation":
                yield from binary(node, text)
            case "Assignment" if node["operator"] != "=":
                yield from assignment(node, text)
            case "UnaryOperation" if node["operator"] in {"++", "--"}:
                yield from unary(node, text, used=node is not root.get("expression", root))
            case "MemberAccess" if node["expression"]["nodeType"] == "Identifier":
                place = (node["expression"]["name"], node["memberName"])
                if place in MEMBERS:
                    yield "SBR", bounds(node), MEMBERS[place]
            case "FunctionCall" if node["kind"] == "typeConversion":
                yield from narrowing(node["expression"])
            case "YulFunctionCall":
                yield from assembly(node)
            case _:
                pass


def nodes(node: Any) -> Iterator[Json]:  # noqa: ANN401 - any part of a tree
    """Iterate over a node and all below it; a type's own description is no code."""
    if isinstance(node, list):
        for inner in node:
            yield from nodes(inner)
    elif isinstance(node, dict):
        if "nodeType" in node:
            yield node
        for key, inner in node.items():
            if key not in {"typeDescriptions", "typeName", "externalReferences"}:
                yield from nodes(inner)


def bounds(node: Json) -> tuple[int, int]:
    """Return where a node begins and ends in its source."""
    start, length, _ = (int(part) for part in node["src"].split(":"))
    return start, start + length


def between(left: Json, right: Json, sign: str, text: bytes) -> tuple[int, int]:
    """Return where the sign between two operands stands."""
    low, high = bounds(left)[1], bounds(right)[0]
    start = text.index(sign.encode(), low, high)
    return start, start + len(sign)


def binary(node: Json, text: bytes) -> Iterator[Tweak]:
    """Put another sign of its group between two operands; addresses have no order."""
    sign = node["operator"]
    where = between(node["leftExpression"], node["rightExpression"], sign, text)
    addresses = node["commonType"]["typeString"] == "address"
    for name, group in GROUPS:
        if sign in group:
            for other in group:
                if other != sign and not (addresses and other not in {"==", "!="}):
                    yield name, where, other


def assignment(node: Json, text: bytes) -> Iterator[Tweak]:
    """Assign in every other way."""
    sign = node["operator"]
    where = between(node["leftHandSide"], node["rightHandSide"], sign, text)
    for other in ASSIGNMENT:
        if other != sign:
            yield "ASOR", where, other


def unary(node: Json, text: bytes, *, used: bool) -> Iterator[Tweak]:
    """Count the other way; where the value is used, count after instead of before."""
    sign, other = node["operator"], "--" if node["operator"] == "++" else "++"
    start, end = bounds(node["subExpression"])
    operand = text[start:end].decode()
    prefix = node["prefix"]
    yield "UOR", bounds(node), f"{other}{operand}" if prefix else f"{operand}{other}"
    if used:
        yield "UOR", bounds(node), f"{operand}{sign}" if prefix else f"{sign}{operand}"


def narrowing(node: Json) -> Iterator[Tweak]:
    """Cut a conversion to an integer to half its size."""
    if node["nodeType"] != "ElementaryTypeNameExpression":
        return
    name = node["typeName"]["name"]
    sign, size = name.rstrip("0123456789"), name.lstrip("uint")
    if sign in {"uint", "int"} and size in NARROWER:
        yield "SBR", bounds(node), sign + NARROWER[size]


def assembly(node: Json) -> Iterator[Tweak]:
    """Call another instruction of the same group."""
    name = node["functionName"]
    start, _ = bounds(name)
    for operator, group in YUL:
        if name["name"] in group:
            for other in group:
                if other != name["name"]:
                    yield operator, (start, start + len(name["name"])), other


def literals(node: Json) -> list[str]:
    """Return what may stand for the literal that a variable begins with: least, greatest, one."""
    value = node.get("initialValue")
    if not value or value["nodeType"] != "Literal" or len(node["declarations"]) != 1:
        return []
    kind = node["declarations"][0]["typeDescriptions"]["typeString"]
    if kind == "bool":
        return ["false" if value["value"] == "true" else "true"]
    if not kind.startswith(("uint", "int")):
        return []
    greatest = f"type({kind}).max"
    least = "0" if kind.startswith("uint") else f"type({kind}).min"
    one = "1" if kind.startswith("uint") else "-1"
    return [other for other in (least, greatest, one) if other != value["value"]]
