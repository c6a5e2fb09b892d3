"""What no contract of ours holds, and what each says of itself."""

from __future__ import annotations

import re

from tests.house.source_tree import below, shown

SOURCES = {shown(path): path.read_text() for path in below("contracts/src", suffix=".sol")}
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
DANGEROUS = re.compile(
    r"\bcreate2\b|\bselfdestruct\b|\bsuicide\b|\btx\s*\.\s*origin\b|\borigin\(\)|\.balance\b"
    r"|\b(?:self)?balance\(|\bblockhash\b|\bprevrandao\b|\bdifficulty\b|\bblock\.number\b"
    r"|\bcallcode\b|\.send\(|\bpayable\b|\bnow\b",
    re.IGNORECASE,
)
# One list of open length each: nothing can slide from one argument into the next.
PACKED = {
    "contracts/src/libraries/EscrowMessages.sol": 1,
    "contracts/src/libraries/Feed.sol": 1,
}
# What is divided is gas (EIP-150), never a quantity.
DIVIDING = {
    "contracts/src/libraries/Signatures.sol": 1,
    "contracts/src/libraries/Feed.sol": 1,
}
DELEGATING = {"contracts/src/Settlement.sol": 1}


def code(text: str) -> str:
    """A source without its comments and strings."""
    return re.sub(r'"[^"\n]*"', '""', COMMENT.sub("", text))


def counted(pattern: str) -> dict[str, int]:
    """How often code matches, by source; sources without a match left out."""
    found = {name: len(re.findall(pattern, code(text))) for name, text in SOURCES.items()}
    return {name: count for name, count in found.items() if count}


def silent_assembly(text: str) -> list[int]:
    """Lines of assembly with no comment before them in their function, or above it."""
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        if not re.match(r"\s*assembly\b", line):
            continue
        start = number
        while start > 0 and not re.match(r"\s*(function|fallback|constructor)\b", lines[start]):
            start -= 1
        while start > 0 and lines[start - 1].strip().startswith("///"):
            start -= 1
        if not any("//" in one for one in lines[start:number]):
            found.append(number + 1)
    return found


def unspoken(text: str) -> list[str]:
    """Functions of an interface that change something and have no NatSpec directly above."""
    lines = [line.strip() for line in text.splitlines()]
    found = []
    for number, line in enumerate(lines):
        if not (named := re.match(r"function (\w+)", line)):
            continue
        above = next(one for one in lines[number - 1 :: -1] if not re.match(r"//[^/]", one))
        header = " ".join(lines[number:]).partition(";")[0]
        if not re.search(r"\b(?:view|pure)\b", header) and not above.startswith("///"):
            found.append(named[1])
    return found


def test_contracts_have_none_of_the_dangerous_words() -> None:
    found = {name: DANGEROUS.findall(code(text)) for name, text in SOURCES.items()}
    assert not {name: words for name, words in found.items() if words}


def test_contracts_are_plain_ascii() -> None:
    assert not [name for name, text in SOURCES.items() if not text.isascii()]


def test_packed_encoding_is_only_where_it_was_looked_at() -> None:
    assert counted(r"\bencodePacked\b") == PACKED


def test_delegatecall_stands_in_one_place() -> None:
    assert counted(r"\bdelegatecall\b") == DELEGATING


def test_contracts_divide_only_where_it_was_looked_at() -> None:
    assert counted(r"[\w)\]]\s*[/%]=?\s*[\w(]|\b(?:s?div|s?mod|mulmod)\(") == DIVIDING


def test_assembly_says_what_it_does() -> None:
    found = {name: silent_assembly(text) for name, text in SOURCES.items()}
    assert not {name: numbers for name, numbers in found.items() if numbers}


def test_interfaces_say_what_each_act_does() -> None:
    found = {name: unspoken(text) for name, text in SOURCES.items() if "/interfaces/I" in name}
    assert not {name: members for name, members in found.items() if members}


def test_what_must_not_be_there_is_seen() -> None:
    for text in (
        "if (tx.origin == a) b();",
        "selfdestruct(a);",
        "uint256 held = address(this).balance;",
        "let made := create2(0, 0, 0, 0)",
        "function take() external payable {}",
    ):
        assert DANGEROUS.search(code(text)), text
    assert not DANGEROUS.search(code('// tx.origin\nstring a = "selfdestruct"; balanceOf(b);'))
    silent = "    function a() {\n        assembly {\n        }\n    }\n"
    assert silent_assembly(silent) == [2]
    assert not silent_assembly("    /// @dev Reads.\n" + silent)
    assert unspoken("interface A {\n    function a() external;") == ["a"]
    assert not unspoken("interface A {\n    function a() external view;")
    assert not unspoken("    /// @notice Does.\n    function a() external;")
