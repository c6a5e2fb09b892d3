"""The example of receipts: the acceptance of the trade of the other examples."""

from __future__ import annotations

import json
from typing import Final

from settle.api.example_trade import BANK, DIGEST, NOW, SIGNATURE, TRADE
from settle.api.receipt_documents import ReceiptOut, ReceiptsPage
from settle.domain.ids import ZERO_WORD

RECEIPTS: Final = ReceiptsPage(
    receipts=(
        ReceiptOut(
            participant=BANK,
            number=1,
            previous=ZERO_WORD,
            kind="accepted",
            request=DIGEST,
            contents=json.dumps(
                {
                    "request": "POST /v1/trades",
                    "subjects": [
                        {"trade_id": TRADE, "digest": None, "deadline_at": str(NOW + 86_400)}
                    ],
                },
                separators=(",", ":"),
            ),
            issued_at=NOW,
            signature=SIGNATURE,
        ),
    ),
    next_after=None,
)
