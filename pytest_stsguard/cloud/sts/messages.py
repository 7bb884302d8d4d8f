"""Encoded authorization messages: what EC2 says of a denial to those who may read it.

See "DecodeAuthorizationMessage" in the AWS STS API Reference.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.permissions import Permission
    from pytest_stsguard.policy import Decision

__all__ = ["Messages"]

_SHORT_OF = 10_240


class Messages:
    """Encrypts the story of a denial, and reads it back; the key is one cloud's own."""

    def __init__(self) -> None:
        self._key: Any = None

    def encode(self, caller: Caller, permission: Permission, decision: Decision, keys: dict[str, Any]) -> str:
        """Write who was denied what, under which conditions, by which statements, as one opaque text."""
        from joserfc import jwe  # noqa: PLC0415 - only a denial of EC2 pays for it

        story = _story(caller, permission, decision, keys)
        protected = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
        text = str(jwe.encrypt_compact(protected, json.dumps(story).encode(), self._secret()))
        if len(text) > _SHORT_OF:
            story["matchedStatements"] = {"items": []}
            story.pop("explanation")
            text = str(jwe.encrypt_compact(protected, json.dumps(story).encode(), self._secret()))
        return text

    def decode(self, message: str) -> str | None:
        """Read a message back as JSON text; None when it is not one of this cloud."""
        from joserfc import jwe  # noqa: PLC0415 - as above
        from joserfc.errors import JoseError  # noqa: PLC0415

        try:
            found = jwe.decrypt_compact(message, self._secret()).plaintext
        except (JoseError, ValueError):
            return None
        return found.decode() if found else None

    def _secret(self) -> Any:
        if self._key is None:
            from joserfc.jwk import OctKey  # noqa: PLC0415 - as above

            self._key = OctKey.generate_key(256)
        return self._key


def _story(caller: Caller, permission: Permission, decision: Decision, keys: dict[str, Any]) -> dict[str, Any]:
    """Write the denial in the form of AWS, with the engine's own explanation beside it."""
    statements = [
        {"statementId": seen.sid or "", "effect": seen.effect.upper(), "policy": seen.policy, "place": seen.place}
        for seen in decision.deciding
    ]
    return {
        "allowed": False,
        "explicitDeny": decision.explicit,
        "matchedStatements": {"items": statements},
        "failures": {"items": []},
        "context": {
            "principal": {"id": caller.user_id, "name": caller.name, "arn": caller.arn},
            "action": permission.action,
            "resource": permission.resource,
            "conditions": {"items": [_condition(key, value) for key, value in sorted(keys.items())]},
        },
        "explanation": decision.explain(),
    }


def _condition(key: str, value: str | list[str]) -> dict[str, Any]:
    values = value if isinstance(value, list) else [value]
    return {"key": key, "values": {"items": [{"value": text} for text in values]}}
