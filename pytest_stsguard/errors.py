"""One exception tree for the whole package.

::

    StsGuardError                  everything this package raises on purpose
    ├── InputError                 what the user gave cannot be used (exit code 2)
    │   ├── ConfigurationError     stsguard.toml, an option, a marker
    │   └── PolicyError            a policy document that AWS would refuse
    │       └── UnsupportedError   valid on AWS, not known here: refused by name, never guessed
    ├── CloudError                 the simulated cloud was used in a way it cannot serve
    ├── AwsUnavailableError        AWS out of reach, or access denied there (exit code 3)
    └── DrillError                 a probe gave no authorization answer: neither allowed nor denied

A message is lower case, one line, with the user's own words in backticks. ``location`` says where in the
input, ``hint`` what to do about it; both are part of ``str()``.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AwsUnavailableError",
    "CloudError",
    "ConfigurationError",
    "DrillError",
    "InputError",
    "PolicyError",
    "StsGuardError",
    "UnsupportedError",
]


class StsGuardError(Exception):
    """Root of the tree: what happened, where, and what to do about it."""

    code: ClassVar[str] = "StsGuardError"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, location: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.location = location
        self.hint = hint

    def __str__(self) -> str:
        """Give the whole story on one line: ``location: message (hint)``."""
        text = f"{self.location}: {self.message}" if self.location else self.message
        return f"{text} ({self.hint})" if self.hint else text


class InputError(StsGuardError):
    """A file, a document or an argument that cannot be used."""

    code = "InvalidInput"
    exit_code = 2


class ConfigurationError(InputError):
    """A setting of stsguard.toml, of the command line or of a marker that cannot be used."""

    code = "InvalidConfiguration"


class PolicyError(InputError):
    """A policy document that AWS would refuse; ``location`` is the place in it, as ``Statement[1].Effect``."""

    code = "MalformedPolicyDocument"


class UnsupportedError(PolicyError):
    """A construct that is not known here, so that nothing may be concluded from the document that holds it."""

    code = "UnsupportedPolicyElement"


class CloudError(StsGuardError):
    """The simulated cloud was used in a way that it cannot serve: a second one, a closed one, an unknown role."""

    code = "SimulatedCloud"


class AwsUnavailableError(StsGuardError):
    """AWS cannot be reached, or refuses the credentials that the run itself works with."""

    code = "AwsUnavailable"
    exit_code = 3


class DrillError(StsGuardError):
    """A probe that was answered neither with success nor with an authorization denial."""

    code = "InconclusiveProbe"
