"""Who is calling: a user, a root user, a session or nobody, with what that implies for conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.ledger import Session

__all__ = ["ANONYMOUS", "Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    `arn` is what GetCallerIdentity answers; `unique_id` is that of the user or role whose policies count; `name` is that
    user's or role's name; `context` holds the condition keys that the caller implies; `identity_provider` is that of a
    caller who shows a token or an assertion instead of a signature.
    """

    kind: str
    arn: str
    user_id: str
    account: str
    unique_id: str
    name: str
    access_key_id: str | None = None
    session: Session | None = field(default=None, repr=False)
    context: Mapping[str, str | list[str]] = field(default_factory=dict, repr=False)
    identity_provider: str | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether the request carried no signature."""
        return self.kind == "anonymous"


ANONYMOUS = Caller("anonymous", "anonymous", "anonymous", "", "", "")
