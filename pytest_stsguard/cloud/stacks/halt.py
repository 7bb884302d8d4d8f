"""The end of a stack's change before its time."""

from __future__ import annotations

__all__ = ["FailedError", "Halt", "NotSimulatedError"]


class Halt(BaseException):
    """Stops moto in the middle of a stack; `cause` says why."""

    def __init__(self, cause: FailedError | NotSimulatedError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class FailedError(Exception):
    """What AWS would tell as the reason of a failed resource."""


class NotSimulatedError(Exception):
    """Something that is refused by name, neither allowed nor denied."""
