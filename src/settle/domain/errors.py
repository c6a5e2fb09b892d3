"""One tree of exceptions, cut by who can act on them. They carry values, never only a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settle.domain.reasons import Reason


class SettleError(Exception):
    """Anything this system raises on purpose. `code` is a stable word in snake_case."""

    def __init__(self, message: str, *, code: str) -> None:
        """Keep the sentence that a person reads and the code that a program reads."""
        super().__init__(message)
        self.message = message
        self.code = code


class InvalidInput(SettleError):
    """The caller sent what can never be accepted as it stands: change it and send it again."""

    def __init__(self, code: str, message: str, pointer: str = "") -> None:
        """`pointer` is the RFC 6901 JSON pointer of the offending member, "" for the whole."""
        super().__init__(message, code=code)
        self.pointer = pointer

    def under(self, prefix: str) -> InvalidInput:
        """Return the same fault as seen from a document that holds this one at `prefix`."""
        return type(self)(self.code, self.message, prefix + self.pointer)


class Refused(SettleError):
    """Well formed, but the rules or the present state say no. `reasons` tells each of them."""

    def __init__(self, reasons: tuple[Reason, ...], message: str, *, code: str = "refused") -> None:
        """Keep all the reasons, in the order in which they were found."""
        super().__init__(message, code=code)
        self.reasons = reasons


class NotFound(Refused):
    """No such object for this caller; also what another participant's object looks like."""

    def __init__(self, message: str, *, code: str = "not_found") -> None:
        """Name what was looked for in `message`."""
        super().__init__((), message, code=code)


class Forbidden(Refused):
    """The caller is known, and this is not its to do."""

    def __init__(self, message: str, *, code: str = "forbidden") -> None:
        """Name the missing right in `message`."""
        super().__init__((), message, code=code)


class Conflict(Refused):
    """The object is no longer what the caller takes it for: read it again, then decide."""

    def __init__(self, code: str, message: str, reasons: tuple[Reason, ...] = ()) -> None:
        """`code` tells what changed, for example `duplicate_reference` or `stale_version`."""
        super().__init__(reasons, message, code=code)


class Unavailable(SettleError):
    """Something outside did not answer. Trying again may help."""

    def __init__(
        self, message: str, retry_after_s: int | None = None, *, code: str = "unavailable"
    ) -> None:
        """`retry_after_s` is in seconds, None where nothing better is known."""
        super().__init__(message, code=code)
        self.retry_after_s = retry_after_s


class Broken(SettleError):
    """A belief of ours is false. Stop, and let a person look: going on would make it worse."""

    def __init__(self, message: str, *, code: str = "broken") -> None:
        """State the belief and the finding in `message`."""
        super().__init__(message, code=code)
