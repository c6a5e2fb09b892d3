"""One JSON line per event on standard error. Headers, bodies and signatures are never logged."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Final, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

SECRET_NAMES: Final = ("authorization", "signature", "password", "secret", "token", "private")


def _without_secrets(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """Blank what is named like a secret, should somebody log it by mistake."""
    for name in entry:
        if any(secret in name.lower() for secret in SECRET_NAMES):
            entry[name] = "[hidden]"
    return entry


def set_up_logging(level: str = "info", stream: TextIO | None = None) -> None:
    """Write every log line of this process as JSON, those of libraries from warnings on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(),
            _without_secrets,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Standard error as it is when a line is written: whoever redirects it may close it later.
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=stream or sys.stderr, format="%(message)s")


def log() -> FilteringBoundLogger:
    """Give the logger."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
