"""A real market on its own chain, with its deployment file, and audits of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chain_engines import RICH, ROOT, profile_by_hand, skip_if_missing
from chain_market import build_market
from market_life import FUNDED, MarketLife

from settle.audit.auditor import run
from settle.audit.findings import Code, Finding
from settle.audit.report import AuditReport
from settle.audit.request import AuditRequest
from settle.audit.rpc import HttpLine, NodeLine
from settle.chain.deployment import Deployment, save_deployment
from settle.chain.eip712 import address_of
from settle.chain.engine import start_engine


@dataclass
class World:
    """A market on its own chain, its deployment file, and audits of it."""

    name: str
    life: MarketLife
    folder: Path
    file: Path

    @property
    def url(self) -> str:
        return self.life.market.engine.url

    @property
    def deployment(self) -> Deployment:
        return self.life.market.deployment

    def audit(
        self,
        lie: Callable[[NodeLine], NodeLine] = lambda line: line,
        *,
        file: Path | None = None,
        **more: object,
    ) -> AuditReport:
        request = AuditRequest(rpc_url=self.url, deployment_file=file or self.file, **more)  # type: ignore[arg-type]
        return run(request, connect=lambda url: lie(HttpLine(url)))


def found(report: AuditReport, code: Code, **place: object) -> Finding:
    """Give the finding of a class at a place; it has to be there."""
    assert report.verdict == "findings", "nothing was found"
    for finding in report.findings:
        if finding.code is code and all(getattr(finding, k) == v for k, v in place.items()):
            return finding
    shown = "\n".join(str(finding) for finding in report.findings)
    raise AssertionError(f"no {code.value} at {place} among\n{shown}")


def build_world(name: str, folder: Path, seed: int = 1) -> Iterator[World]:
    """Start an engine and deploy."""
    skip_if_missing(name)
    funds = {address_of(key): RICH for key in FUNDED}
    engine = start_engine(profile_by_hand(name), folder, root=ROOT, fund=funds)
    try:
        market = build_market(engine)
        file = folder / "deployment.json"
        save_deployment(market.deployment, file)
        yield World(name, MarketLife(market, seed=seed), folder, file)
    finally:
        engine.stop()
