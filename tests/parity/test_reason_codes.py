"""Every reason that the contract can give has its sentence, and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

from settle.domain.reasons import ON_CHAIN

CONTRACTS = Path(__file__).parents[2] / "contracts" / "src"


def test_the_table_has_the_codes_of_the_contract_in_its_order() -> None:
    text = (CONTRACTS / "libraries" / "Reasons.sol").read_text()
    declared = re.findall(r'bytes4 internal constant \w+ = "(\w{4})";', text)
    assert declared == [kind.code for kind in ON_CHAIN]


def test_settle_names_the_same_order_of_precedence() -> None:
    text = (CONTRACTS / "interfaces" / "ISettlement.sol").read_text()
    stated = re.search(
        r"Refuses with the first of: X-codes of malformed terms, (.*?)\.", text, re.DOTALL
    )
    assert stated
    order = re.findall(r"[A-Z]{4}", stated[1])
    codes = [kind.code for kind in ON_CHAIN]
    start = codes.index("XDON")
    assert order == codes[start : start + len(order)]
    assert order[-1] == "MONY"
