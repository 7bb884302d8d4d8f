"""WHAT A REQUEST ASKS: from a neutral HTTP request to the service, the operation and its parameters."""

from __future__ import annotations

from .call import Call, UnknownOperationError, UnparsableRequestError
from .parser import parse

__all__ = ["Call", "UnknownOperationError", "UnparsableRequestError", "parse"]
