"""The command line in this process: what it wrote, and the code it ended with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from settle.cli.main import app


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Settle = Callable[..., Ended]


@pytest.fixture
def settle(capsys: pytest.CaptureFixture[str]) -> Settle:
    """Run a command; `code` is what it has to end with."""

    def run(*arguments: str | Path, code: int = 0) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            app([str(one) for one in arguments])
        written = capsys.readouterr()
        ended = Ended(int(end.value.code or 0), written.out, written.err)
        assert ended.code == code, f"{arguments}: {ended}"
        return ended

    return run
