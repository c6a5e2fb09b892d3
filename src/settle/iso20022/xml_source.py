"""From bytes to elements, without ever following what the bytes ask for.

No DTD, no entities, no network, no other encoding than UTF-8, bounded size and depth (law L9).
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from settle.domain.errors import InvalidInput

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 32

_ENCODING = re.compile(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([^"'>]{1,40})["']""")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def read_xml(xml: bytes, *, max_bytes: int = MAX_BYTES) -> etree._Element:
    """Parse a message from outside and give its root element. Comments are left out.

    Raises: InvalidInput (xml_too_large, xml_encoding, xml_doctype, xml_malformed, xml_too_deep).
    """
    if len(xml) > max_bytes:
        message = f"the message has {len(xml)} bytes, at most {max_bytes} are read"
        raise InvalidInput("xml_too_large", message)
    declared = _ENCODING.match(xml.removeprefix(_BYTE_ORDER_MARK))
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        name = declared[1].decode("ascii", "replace")
        raise InvalidInput("xml_encoding", f"the message is in {name}, only UTF-8 is read")
    if b"<!DOCTYPE" in xml:
        message = "the message has a document type declaration: entities and DTDs are never read"
        raise InvalidInput("xml_doctype", message)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as fault:
        message = f"the message is not well-formed: {fault.msg}"
        raise InvalidInput("xml_malformed", message) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise InvalidInput("xml_doctype", "the message has a document type declaration")
    _check_depth(root)
    return root


def _check_depth(root: etree._Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            message = f"elements lie more than {MAX_DEPTH} deep in one another"
            raise InvalidInput("xml_too_deep", message)
