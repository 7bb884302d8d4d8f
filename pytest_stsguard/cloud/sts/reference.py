"""The limits and refusals of the token service as the documentation shows them; written from the tables themselves.

``python -m pytest_stsguard.cloud.sts.reference docs/sessions.md`` writes the page's generated parts anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.sts.limits import SessionLimit

__all__ = ["PARTS", "generated", "main"]


def _sessions() -> str:
    lines = ["| made by | least / default / most seconds | may not call |", "|---|---|---|"]
    for limit in limits.SESSIONS:
        seconds = f"{limit.seconds.least} / {limit.seconds.default} / {limit.seconds.most}"
        noted = f"; {limit.noted}" if limit.noted else ""
        lines.append(f"| {', '.join(limit.operations)} | {seconds}{noted} | {_barred(limit)} |")
    console = limits.CONSOLE
    lines.append(
        f"| sign-in URL, good for {limits.LOGIN_SECONDS} | the rest of the credentials, or SessionDuration {console.least} to "
        f"{console.most}, which chained and federation credentials may not name | as the credentials that signed in; IAM is "
        "open to them |"
    )
    return "\n".join(lines)


def _barred(limit: SessionLimit) -> str:
    if limit.only is not None:
        of_sts = f"of STS anything but {', '.join(sorted(limit.only))}"
    else:
        of_sts = ", ".join(sorted(limit.never))
    of_iam = {"always": "", "mfa": "; IAM, unless with MFA", "console": "; IAM, except in the console"}[limit.iam]
    return of_sts + of_iam


def _parameters() -> str:
    lines = ["| parameter | characters | pattern |", "|---|---|---|"]
    for name, text in limits.TEXTS.items():
        pattern = text.pattern.replace("|", "\\|")
        lines.append(f"| {name} | {text.shortest} to {text.longest} | `{pattern}` |")
    return "\n".join(lines)


def _quotas() -> str:
    return "\n".join(
        (
            "| what | limit |",
            "|---|---|",
            f"| inline session policy | {limits.POLICY_CHARACTERS} characters |",
            f"| managed session policies | {limits.POLICY_ARNS} |",
            f"| session tags | {limits.TAGS}, keys of {limits.TAG_KEY.longest} and values of {limits.TAG_VALUE.longest} characters, keys differ without regard to case |",
            f"| packed policies, ARNs and tags | {limits.PACKED_BYTES} compressed bytes [inferred] |",
            f"| chained session | {limits.CHAINED_SECONDS} seconds |",
            f"| root user's tokens | cut to {limits.ROOT_SECONDS} seconds |",
            f"| SAML response | redeemed within {limits.SAML_REDEEM_SECONDS} seconds of its issue, once [once is inferred] |",
            f"| GetWebIdentityToken | {limits.TOKEN_SECONDS.least} to {limits.TOKEN_SECONDS.most} seconds, by default {limits.TOKEN_SECONDS.default} |",
            f"| MFA code | steps of {limits.MFA_STEP_SECONDS} seconds, {limits.MFA_WINDOW} step early or late [inferred], each code once |",
            f"| opt-in regions, closed until enabled | {', '.join(sorted(limits.OPT_IN_REGIONS))} |",
        )
    )


def _refusals() -> str:
    lines = ["| code | status | message |", "|---|---|---|"]
    for refusal in REFUSALS.values():
        message = refusal.message.replace("{{", "{").replace("}}", "}").replace("|", "\\|")
        lines.append(f"| {refusal.code} | {refusal.status} | {message}{' [inferred]' if refusal.inferred else ''} |")
    return "\n".join(lines)


PARTS: Final[dict[str, Callable[[], str]]] = {
    "sessions": _sessions,
    "parameters": _parameters,
    "quotas": _quotas,
    "refusals": _refusals,
}
"""The generated parts of the page by their names."""


def generated(page: str, parts: dict[str, Callable[[], str]] | None = None) -> str:
    """Give the page with each part between ``<!-- generated: NAME -->`` and ``<!-- end -->`` written anew."""
    for name, write in (parts or PARTS).items():
        pattern = re.compile(rf"(<!-- generated: {re.escape(name)} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        content = write()
        page = pattern.sub(lambda match, content=content: match[1] + content + match[2], page)  # type: ignore[misc] # a default binds the loop's value
    return page


def main(arguments: list[str]) -> None:
    """Write the generated parts of the named pages anew."""
    for argument in arguments:
        path = Path(argument)
        path.write_text(generated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
