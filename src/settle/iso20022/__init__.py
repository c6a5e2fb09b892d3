"""ISO 20022 messages: sese.023 in, sese.024 and sese.025 out. Pure: bytes and values, no I/O.

`read` turns an instruction into a side of a trade or into a Rejection; `rejection`,
`acknowledgement` and `status_message` answer its sender; `confirmation` tells what has settled.
"""

from settle.iso20022.directories import AssetDirectory, PartyDirectory, full_bic
from settle.iso20022.envelope import Header
from settle.iso20022.findings import Finding
from settle.iso20022.sese023 import Rejection, Sese023, read
from settle.iso20022.sese024 import (
    References,
    acknowledgement,
    answer_version,
    rejection,
    status_message,
)
from settle.iso20022.sese024_codes import Sese024Version
from settle.iso20022.sese025 import NamedParty, Settled, confirmation

__all__ = [
    "AssetDirectory",
    "Finding",
    "Header",
    "NamedParty",
    "PartyDirectory",
    "References",
    "Rejection",
    "Sese023",
    "Sese024Version",
    "Settled",
    "acknowledgement",
    "answer_version",
    "confirmation",
    "full_bic",
    "read",
    "rejection",
    "status_message",
]
