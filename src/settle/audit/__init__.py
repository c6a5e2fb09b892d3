"""The auditor: replays a chain from its blocks alone and says where anything differs.

It shares no code with what it checks: blocks, events, digests and signatures are read here anew.
`run` takes an AuditRequest and gives an AuditReport.
"""

from settle.audit.auditor import run
from settle.audit.findings import Code, Finding
from settle.audit.report import AuditReport
from settle.audit.request import AuditRequest, Progress

__all__ = ["AuditReport", "AuditRequest", "Code", "Finding", "Progress", "run"]
