"""Where each contract keeps what, and how large it is: the parts of one share one layout."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.house.source_tree import ROOT

ARTIFACTS: Final = ROOT / "src" / "settle" / "artifacts"

# Slot, byte in the slot, and type, in the order of the slots.
BOOKS: Final = {
    "_authority": (0, 0, "address"),
    "_consumingSchedule": (0, 20, "bool"),
    "_nameFallback": (1, 0, "string"),
    "_versionFallback": (2, 0, "string"),
    "_holdings": (3, 0, "mapping(uint256 => uint256)"),
    "_accounts": (4, 0, "mapping(address => struct Account)"),
    "_openAssets": (5, 0, "mapping(uint256 => uint256)"),
    "_assets": (6, 0, "mapping(uint32 => struct Asset)"),
    "_assetByCode": (7, 0, "mapping(bytes12 => uint32)"),
    "_nonces": (8, 0, "mapping(address => struct NonceBits.Space)"),
    "_liveHolds": (9, 0, "mapping(bytes32 => bool)"),
    "_modules": (10, 0, "mapping(address => bool)"),
    "_assetCount": (11, 0, "uint32"),
    "_live": (12, 0, "mapping(bytes32 => struct Examination.Live)"),
    "_withdrawn": (13, 0, "mapping(address => mapping(bytes32 => bool))"),
    "_recorded": (14, 0, "mapping(bytes32 => bool)"),
    "_escrows": (15, 0, "mapping(bytes32 => struct Examination.EscrowState)"),
    "_disputes": (16, 0, "mapping(bytes32 => uint256)"),
    "_waiting": (17, 0, "mapping(bytes32 => mapping(uint256 => uint256))"),
}
REGISTRY: Final = {
    "_authority": (0, 0, "address"),
    "_consumingSchedule": (0, 20, "bool"),
    "_participants": (1, 0, "mapping(bytes20 => struct IParticipants.Participant)"),
    "_accountsOf": (2, 0, "mapping(bytes20 => address[])"),
    "_leiOf": (3, 0, "mapping(address => bytes20)"),
}
APPROVER: Final = {
    "_nameFallback": (0, 0, "string"),
    "_versionFallback": (1, 0, "string"),
    "_organisationOf": (2, 0, "mapping(address => bytes32)"),
    "_done": (3, 0, "mapping(bytes32 => bool)"),
    "_signers": (4, 0, "address[]"),
}
LAYOUTS: Final = {
    "Settlement": BOOKS,
    "Affirmation": BOOKS,
    "Escrow": BOOKS,
    "Participants": REGISTRY,
    "Approver": APPROVER,
}

# Words that are read as a whole: slot, byte and type of each member.
WORDS: Final = {
    "struct Account": {
        "standing": (0, 0, "enum Standing"),
        "frozen": (0, 1, "bool"),
        "class": (0, 2, "uint8"),
        "withdrawals": (0, 3, "uint64"),
    },
    "struct Examination.Live": {
        "consents": (0, 0, "uint16"),
        "reserved": (0, 2, "uint8"),
        "committed": (0, 3, "uint8"),
        "released": (0, 4, "uint16"),
    },
    "struct Examination.EscrowState": {
        "openedAt": (0, 0, "uint64"),
        "outcomes": (0, 8, "uint32"),
        "disputed": (0, 12, "uint8"),
        "withdrawn": (0, 13, "bool"),
    },
    "struct Asset": {
        "class": (0, 0, "enum AssetClass"),
        "decimals": (0, 1, "uint8"),
        "frozen": (0, 2, "bool"),
        "code": (0, 3, "bytes12"),
        "issuer": (1, 0, "address"),
        "totalSupply": (2, 0, "uint128"),
    },
}

# EIP-170's bound, and what each contract may grow to before somebody looks: deployed bytes.
LARGEST: Final = 24_576
SIZES: Final = {
    "AccessManager": 9_200,
    "Affirmation": 16_500,
    "Escrow": 23_500,
    "Approver": 3_500,
    "Participants": 3_500,
    "Settlement": 22_500,
}


def artifact(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ARTIFACTS / f"{name}.json").read_text())
    return loaded


def places(entries: list[dict[str, Any]], types: dict[str, Any]) -> dict[str, tuple[int, int, str]]:
    return {
        entry["label"]: (int(entry["slot"]), entry["offset"], types[entry["type"]]["label"])
        for entry in entries
    }


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_variable_lies_where_it_lay(name: str) -> None:
    layout = artifact(name)["storageLayout"]
    assert places(layout["storage"], layout["types"]) == LAYOUTS[name]


def test_all_parts_stand_on_one_layout() -> None:
    names = ("Settlement", "Affirmation", "Escrow")
    settlement, affirmation, escrow = (artifact(name)["storageLayout"] for name in names)
    for layout in (settlement, affirmation, escrow):
        for entry in layout["storage"]:
            del entry["contract"]
        for kind in layout["types"].values():
            for member in kind.get("members", ()):
                del member["contract"]
    assert settlement == affirmation == escrow


@pytest.mark.parametrize("label", WORDS)
def test_each_member_of_a_word_lies_where_it_lay(label: str) -> None:
    types = artifact("Settlement")["storageLayout"]["types"]
    found = [kind for kind in types.values() if kind["label"] == label]
    assert [places(kind["members"], types) for kind in found] == [WORDS[label]]


@pytest.mark.parametrize("name", SIZES)
def test_each_contract_fits(name: str) -> None:
    built = artifact(name)
    deployed = len(built["deployedBytecode"].removeprefix("0x")) // 2
    assert built["size"]["deployed"] == deployed
    assert deployed <= SIZES[name] < LARGEST


def test_every_deployed_contract_is_measured() -> None:
    compiler = json.loads((ROOT / "contracts" / "compiler.json").read_text())
    assert sorted(compiler["deployed"]) == sorted(SIZES)
