"""How much a finding matters."""

from __future__ import annotations

from enum import IntEnum

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings.suggestion import show

__all__ = ["Severity"]


class Severity(IntEnum):
    """Four levels, in order: ``Severity.LOW < Severity.CRITICAL``. `str()` gives the word that people write."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    def __str__(self) -> str:
        """Give ``low``, ``medium``, ``high`` or ``critical``."""
        return self.name.lower()

    @classmethod
    def parse(cls, text: str | Severity) -> Severity:
        """Read a severity, whatever its case.

        Raises:
            ConfigurationError: it is none of the four.
        """
        if isinstance(text, Severity):
            return text
        try:
            return cls[str(text).strip().upper()]
        except KeyError:
            raise ConfigurationError(
                f"unknown severity `{show(text)}`", hint=f"one of {', '.join(map(str, cls))}"
            ) from None
