"""Reads a settlement instruction (sese.023) into one side of a trade, or says why not.

Pure: bytes and two directories in, a value out, nothing kept. What is accepted is in
`sese023_table` (form), `sese023_policy` (what is read, harmless, refused) and `sese023_content`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from settle.domain.errors import InvalidInput
from settle.domain.ids import Lei
from settle.domain.side import TradeSide
from settle.iso20022.directories import AssetDirectory, PartyDirectory
from settle.iso20022.envelope import Header, Located, check_envelope, locate, read_header
from settle.iso20022.findings import Finding, Findings
from settle.iso20022.grammar import Grammar, read_table
from settle.iso20022.sese023_content import ContentReader
from settle.iso20022.sese023_policy import REFUSED, VALUES, lookup, rejection_code
from settle.iso20022.sese023_table import TABLE
from settle.iso20022.validation import Validator
from settle.iso20022.xml_source import MAX_BYTES, read_xml

FAMILY: Final = "sese.023.001."
VERSIONS: Final[dict[str, Grammar]] = {
    f"{FAMILY}{number}": read_table(TABLE, number) for number in ("10", "11")
}
MAX_REFERENCE: Final = 35


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A message that is not accepted, but that gives a reference under which to answer.

    `version` is what was sent, also where it is not a version that is read. `sese024.rejection`
    writes the answer.
    """

    version: str
    tx_id: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sese023:
    """An accepted instruction.

    `tx_id` is the sender's reference, which every answer repeats. `header` says who sent it, where
    there was one; it proves nothing. `priority` is 1 to 4 or None; 1 is the operator's own, so it
    is for the caller to grant. `stated` is the side, with placeholders for what no message has.
    """

    version: str
    tx_id: str
    header: Header | None
    priority: int | None
    stated: TradeSide

    @property
    def party(self) -> Lei:
        """The participant whose side this is."""
        return self.stated.submitted_by

    def side(
        self, *, side_id: str, received_at: int, nonce: int, trade_ref: bytes, terms: bytes
    ) -> TradeSide:
        """Make the side of the trade, with what the message cannot carry."""
        return replace(
            self.stated,
            side_id=side_id,
            received_at=received_at,
            nonce=nonce,
            trade_ref=trade_ref,
            terms=terms,
        )


class _Policy:
    def code(self, path: str) -> str:
        return rejection_code(path)

    def refusal(self, path: str) -> tuple[str, str]:
        refusal = REFUSED[lookup(REFUSED, path) or "Prtry"]
        return refusal.code, refusal.sentence

    def value_refusal(self, path: str, value: str) -> tuple[str, str] | None:
        key = lookup(VALUES, path)
        if key is None or value in VALUES[key].values:
            return None
        return VALUES[key].refusal.code, f"{value}: {VALUES[key].refusal.sentence}"


def read(
    xml: bytes,
    directory: PartyDirectory,
    assets: AssetDirectory,
    *,
    sender: Lei | None = None,
    max_bytes: int = MAX_BYTES,
) -> Sese023 | Rejection:
    """Read one sese.023.001.10 or .11, bare or in an envelope.

    `sender` is the participant that is known to have sent it: it instructs only for itself.
    Gives a Rejection, with all the faults, where the message has a reference to answer to.
    Raises: InvalidInput for what is no such message, or one without a readable reference.
    """
    root = read_xml(xml, max_bytes=max_bytes)
    located = locate(root)
    if not located.name.startswith(FAMILY):
        raise InvalidInput("message_not_read", _not_read(located.name))
    findings = Findings()
    header, content = None, None
    if located.name not in VERSIONS:
        findings.add("VALR", "Document", _not_read(located.name))
    else:
        check_envelope(root, located, findings)
        header = read_header(located, findings)
        check_form(located.document, located.name, findings)
        if not findings:
            reader = ContentReader(located.document[0], directory, assets, findings)
            content = reader.read(sender)
    tx_id, fault = _reference(located)
    if fault:
        listed = "; ".join([fault, *(finding.text for finding in findings.all())])
        message = f"the message has no reference to answer to: {listed}"
        raise InvalidInput("reference_unreadable", message)
    if content is None:
        return Rejection(version=located.name, tx_id=tx_id, findings=findings.all())
    return Sese023(
        version=located.name,
        tx_id=tx_id,
        header=header,
        priority=content.priority,
        stated=content.stated,
    )


def check_form(document: etree._Element, version: str, findings: Findings) -> None:
    """Hold a Document against the table of its version, before anybody asks what it means."""
    namespace = etree.QName(document).namespace or ""
    validator = Validator(
        grammar=VERSIONS[version], policy=_Policy(), namespace=namespace, findings=findings
    )
    validator.check(document, "document", "Document")


def _not_read(name: str) -> str:
    return f"{name} is not read here, only {' and '.join(VERSIONS)}"


def _reference(located: Located) -> tuple[str, str]:
    """Give the sender's reference if it can be repeated as it came, or else its fault."""
    found = located.document.findall("{*}SctiesSttlmTxInstr/{*}TxId")
    if len(found) != 1:
        return "", f"TxId stands {len(found)} times"
    text = found[0].text or ""
    if len(found[0]) or not text.strip():
        return "", "TxId has no text"
    if len(text) > MAX_REFERENCE:
        return "", f"TxId has {len(text)} characters, at most {MAX_REFERENCE} are a reference"
    if not text.isprintable() or text != text.strip():
        return "", "TxId has space around it or characters that cannot be printed"
    return text, ""
