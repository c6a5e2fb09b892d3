"""The engines that this machine has."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from chain_engines import engine, node

__all__ = ["engine", "node"]
