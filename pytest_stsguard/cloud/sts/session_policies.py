"""Session policies and the packed size of what a request passes.

See "Session policies" and "IAM and AWS STS quotas" in the IAM User Guide.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.refusals import refuse
from pytest_stsguard.errors import PolicyError, UnsupportedError
from pytest_stsguard.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.sts.service import Context

__all__ = ["Limited", "limited"]

_POLICY_ARN = re.compile(r"arn:aws[\w-]*:iam::(?:aws|\d{12}):policy/[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Limited:
    """The session policies of a new session, None when it has none, and the packed size in percent, None for nothing."""

    policies: tuple[str, ...] | None
    packed: int | None


def limited(context: Context, account: str, tags: Mapping[str, str]) -> Limited:
    """Read and check Policy and PolicyArns, and weigh them together with `tags`.

    Managed policies are read once, when the session is made: a later version does not reach it [inferred].
    """
    inline = read.text(context.parameters, "Policy")
    arns = [str(entry.get("arn", "")) for entry in context.parameters.get("PolicyArns") or ()]
    if len(arns) > limits.POLICY_ARNS:
        raise refuse("policy-arns", most=limits.POLICY_ARNS)
    texts = [] if inline is None else [inline]
    for arn in arns:
        if not _POLICY_ARN.fullmatch(arn):
            raise refuse("invalid-arn", arn=arn[:200] or "policyArns")
        found = context.state.managed_policy(account, arn)
        if found is None:
            raise refuse("no-such-policy", arn=arn)
        texts.append(found)
    for text in texts:
        _check(text)
    packed = _packed(inline, arns, tags)
    return Limited(tuple(texts) if texts else None, packed)


def _check(text: str) -> None:
    try:
        Policy.parse(text, kind="session")
    except UnsupportedError as error:
        raise Fault(Refusal.NOT_SIMULATED, f"session policy: {error}") from error
    except PolicyError as error:
        raise refuse("malformed-policy", problem=error) from error


def _packed(inline: str | None, arns: list[str], tags: Mapping[str, str]) -> int | None:
    """Weigh what is passed, compressed, in percent of the room that there is."""
    if inline is None and not arns and not tags:
        return None
    passed = json.dumps([json.loads(inline) if inline else None, arns, tags], separators=(",", ":"))
    percent = -(-len(zlib.compress(passed.encode(), 9)) * 100 // limits.PACKED_BYTES)
    if percent > 100:  # noqa: PLR2004 - a percentage
        raise refuse("packed", percent=percent)
    return percent
