"""A decision put into data, and the data into words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.policy.case import Case
    from pytest_stsguard.policy.inspection import Inspected, Seen

__all__ = ["explain", "tell"]


def explain(outcome: str, reason: str, deciding: Sequence[Seen], inspected: Sequence[Inspected]) -> dict[str, Any]:
    """Put a decision into plain data, layer by layer."""
    return {
        "outcome": outcome,
        "reason": reason,
        "layers": [
            {
                "layer": one.layer.value,
                "level": one.level,
                "verdict": one.verdict.name.lower(),
                "decided": [_statement(seen) for seen in one.matched if seen in deciding],
                "matched": [_statement(seen) for seen in one.matched if seen not in deciding],
                "unread": [_statement(seen) for seen in one.unread],
                "near": [{**_statement(near.statement), "why_not": near.reason} for near in one.near],
            }
            for one in inspected
        ],
    }


def _statement(seen: Seen) -> dict[str, Any]:
    return {
        "policy": seen.policy,
        "place": seen.place,
        "sid": seen.sid,
        "effect": seen.effect,
        "grant": seen.grant.name.lower(),
    }


def tell(case: Case, outcome: str, reason: str, explained: dict[str, Any]) -> str:
    """Write an explanation for a person: the verdict in one line, then a few lines a layer."""
    request = case.request
    words = {"allowed": "ALLOWED", "explicitDeny": "DENIED", "implicitDeny": "DENIED (implicitly)"}
    verb = "is authorized" if outcome == "allowed" else "is not authorized"
    head = f"{words[outcome]}: {request.principal} {verb} to perform {request.action} on {request.resource}"
    lines = [f"{head}, {reason}" if reason else head]
    if case.uncontrolled:
        return f"{head}: no policy controls this action"
    for layer in explained["layers"]:
        level = "" if layer["level"] is None else f", level {layer['level']}"
        lines.append(f"  {layer['layer']}{level}: {_VERDICTS[layer['verdict']]}")
        lines += [f"    decided by {_name(statement)}" for statement in layer["decided"]]
        lines += [
            f"    also matched {_name(statement)}{_LIMITS.get(statement['grant'], '')}"
            for statement in layer["matched"]
        ]
        lines += [f"    could not read {_name(statement)}" for statement in layer["unread"]]
        lines += [f"    not {_name(statement)}: {statement['why_not']}" for statement in layer["near"]]
    return "\n".join(lines)


_LIMITS = {
    "account": ", which leaves its account to the identity policies",
    "role": ", which grants no more than boundary and session policies let through",
}
_VERDICTS = {"deny": "denies", "allow": "allows", "silent": "allows nothing here"}


def _name(statement: dict[str, Any]) -> str:
    sid = f" `{statement['sid']}`" if statement["sid"] else ""
    words = (statement["effect"], f"{statement['place']}{sid}", "of" if statement["place"] else "", statement["policy"])
    return " ".join(word for word in words if word)
