"""Writes messages: the same values always give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from lxml import etree

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, to_hex
from settle.domain.money import format_quantity
from settle.iso20022.envelope import ISO_NAMESPACE
from settle.iso20022.plain_types import canonical_decimal, plain_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Makes elements of one message, such as `sese.025.001.11`."""

    message: str

    def __call__(
        self, name: str, *content: etree._Element | str | None, **attributes: str
    ) -> etree._Element:
        """Make an element of text or of other elements; None among them stands for nothing."""
        namespace = f"{ISO_NAMESPACE}{self.message}"
        default = cast("dict[str, str]", {None: namespace})
        element = etree.Element(f"{{{namespace}}}{name}", nsmap=default)
        for item in content:
            if isinstance(item, str):
                element.text = item
            elif item is not None:
                element.append(item)
        for key, value in attributes.items():
            element.set(key, value)
        return element

    def text(self, name: str, value: str, most: int) -> etree._Element:
        """Make an element of text of at most so many characters.

        Raises: InvalidInput (iso_text) for text that the message cannot carry.
        """
        if not (1 <= len(value) <= most and value.isprintable()):
            message = f"{name} takes 1 to {most} printable characters, not {value[:60]!r}"
            raise InvalidInput("iso_text", message)
        return self(name, value)

    def optional(self, name: str, value: str | None, most: int) -> etree._Element | None:
        """Make an element of text, or nothing where there is none to tell."""
        return None if value is None else self.text(name, value, most)

    def wallet(self, account: Address) -> etree._Element:
        """Name an account of the books by its address."""
        return self("BlckChainAdrOrWllt", self("Id", to_hex(account)))

    def number(self, name: str, units: int, decimals: int, rule: str) -> etree._Element:
        """Write smallest units as a decimal of a plain type, such as `decimal(18,17)`.

        Raises: InvalidInput (iso_number) for a number with more digits than the message carries.
        """
        text = canonical_decimal(format_quantity(units, decimals))
        if fault := plain_type(rule).fault(text):
            raise InvalidInput("iso_number", f"{name} {fault}")
        return self(name, text)

    def document(self, content: etree._Element) -> bytes:
        """Write the whole message, UTF-8, with an XML declaration, indented."""
        return etree.tostring(
            self("Document", content), xml_declaration=True, encoding="UTF-8", pretty_print=True
        )
