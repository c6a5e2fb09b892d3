"""Messages, schemas and directories that the tests of this folder read. Schemas are not ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from settle.domain.ids import Address, Bic, CurrencyCode, Isin, Lei, lei_check_digits
from settle.iso20022.sese023 import Rejection, Sese023, read

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "iso20022"
DATA = ROOT.parent / "shared" / "data" / "iso20022"

ALFA = Lei("999900DEMOBANKALFA73")
BETA = Lei("999900DEMOBANKBETA55")
ALFA_ACCOUNT = Address(bytes([0xA1]) * 20)
BETA_ACCOUNT = Address(bytes([0xBE]) * 20)


def lei(name: str) -> Lei:
    """A valid LEI of a participant that is made up."""
    base = f"999900{name.upper():0<12}"[:18]
    return Lei(base + lei_check_digits(base))


@dataclass(frozen=True)
class Directory:
    """A directory in memory: the real one asks the store."""

    bics: dict[str, Lei] = field(default_factory=lambda: {"ALFADEF0XXX": ALFA, "BETAFRP0XXX": BETA})
    identifiers: dict[tuple[str, str], Lei] = field(default_factory=dict)
    accounts: dict[tuple[Lei, str], Address] = field(
        default_factory=lambda: {(ALFA, "ALFA-1"): ALFA_ACCOUNT, (BETA, "BETA-1"): BETA_ACCOUNT}
    )

    def _participants(self) -> set[Lei]:
        return {*self.bics.values(), *self.identifiers.values()}

    def by_bic(self, bic: Bic) -> Lei | None:
        return self.bics.get(bic)

    def by_lei(self, lei: Lei) -> Lei | None:
        return lei if lei in self._participants() else None

    def by_identifier(self, issuer: str, identifier: str) -> Lei | None:
        return self.identifiers.get((issuer, identifier))

    def account(self, owner: Lei, identifier: str) -> Address | None:
        return self.accounts.get((owner, identifier))

    def owns(self, owner: Lei, account: Address) -> bool:
        return any(who == owner and found == account for (who, _), found in self.accounts.items())


@dataclass(frozen=True)
class Assets:
    """Assets by code, with the decimals of their quantities."""

    securities: dict[str, int] = field(
        default_factory=lambda: {"DE0007164600": 0, "DE0001102580": 2}
    )
    currencies: dict[str, int] = field(default_factory=lambda: {"EUR": 2})

    def security_decimals(self, isin: Isin) -> int | None:
        return self.securities.get(isin)

    def currency_decimals(self, currency: CurrencyCode) -> int | None:
        return self.currencies.get(currency)


# The participants and assets of the messages that others wrote.
PUBLISHED = Directory(
    identifiers={
        ("CSD", "B02/B"): lei("Broker02"),
        ("CSD", "B05/B"): lei("Broker05"),
        ("CEDE", "61051"): lei("Clear61051"),
        ("CEDE", "67015"): lei("Clear67015"),
    },
    accounts={
        (lei("Broker02"), "B02/C"): Address(bytes([0x02]) * 20),
        (lei("Broker05"), "B05/C"): Address(bytes([0x05]) * 20),
        (lei("Clear61051"), "61051"): Address(bytes([0x61]) * 20),
        (lei("Clear67015"), "67015"): Address(bytes([0x67]) * 20),
    },
)
PUBLISHED_ASSETS = Assets(securities={"GB0002771383": 0, "TZ1996100214": 0})


def example(name: str) -> bytes:
    return (EXAMPLES / name).read_bytes()


def published(path: str) -> bytes:
    """A message or schema of the shared data. Skips the test where that folder is missing."""
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is missing: it holds messages and schemas written by others")
    return (DATA / path).read_bytes()


@cache
def schema(name: str) -> etree.XMLSchema:
    """The schema that ISO publishes for a message, such as `sese.023.001.11`."""
    return etree.XMLSchema(etree.fromstring(published(f"xsd/{name}.xsd")))


def accepted(xml: bytes, **options: Lei) -> Sese023:
    """Read a message of the examples' two participants, and expect no fault."""
    result = read(xml, Directory(), Assets(), **options)
    assert isinstance(result, Sese023), result
    return result


def refused(xml: bytes, **options: Lei) -> Rejection:
    result = read(xml, Directory(), Assets(), **options)
    assert isinstance(result, Rejection), result
    return result


def changed(xml: bytes, old: str, new: str) -> bytes:
    """A message with one piece of text replaced, which must be there."""
    assert xml.count(old.encode()) >= 1, f"{old!r} is not in the message"
    return xml.replace(old.encode(), new.encode())


def codes(rejection: Rejection) -> list[str]:
    return [finding.code for finding in rejection.findings]


def document(xml: bytes) -> etree._Element:
    """The Document of a message, out of its envelope if it has one."""
    root = etree.fromstring(xml, etree.XMLParser(remove_comments=True))
    found = root if root.tag.endswith("}Document") else root.find("{*}Document")
    assert found is not None
    return etree.fromstring(etree.tostring(found))


def elements(root: etree._Element) -> Iterator[etree._Element]:
    return (element for element in root.iter() if isinstance(element.tag, str))
