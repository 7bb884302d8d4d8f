"""The blast radius as data: identities, the steps between them, and the calls of each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.policy import Decision

__all__ = ["Blast", "Call", "Edge", "Node", "account_node", "statement_of"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a thief makes: a service and an operation by their API names, with its parameters."""

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"service": self.service, "operation": self.operation, "parameters": dict(self.parameters)}


@dataclass(frozen=True, slots=True)
class Node:
    """What a thief can be.

    Attributes:
        id: the ARN, except for what has none yet.
        kind: ``role``, ``user``, ``new user``, ``federation token``, ``account`` (whoever may do anything in it) or
            ``role elsewhere`` (of an account that the source does not hold).
        arn: the ARN.
        survives: whether the thief still has it when the sessions of the start alone are revoked; for a user as the
            start: when its access keys are deactivated.
    """

    id: str
    kind: str
    arn: str
    survives: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"id": self.id, "kind": self.kind, "arn": self.arn, "survives_revocation": self.survives}


@dataclass(frozen=True, slots=True)
class Edge:
    """A step: what allows it (the deciding statements), and the calls by which the thief takes it."""

    source: str
    to: str
    kind: str
    statement: str
    calls: tuple[Call, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "from": self.source,
            "to": self.to,
            "kind": self.kind,
            "statement": self.statement,
            "calls": [call.as_json() for call in self.calls],
        }


@dataclass(frozen=True, slots=True)
class Blast:
    """What a stolen session can become.

    Attributes:
        start: the id of the node that was stolen.
        nodes: the start first, then by distance from it.
        edges: in the order in which they were found: the first one that leads to a node is on a shortest way to it.
        revocation_set: the ARNs of the roles and users whose sessions must be revoked together.
        unbounded: why no set of revocations is enough; empty where one is.
        left_out: what was not looked at, or not wholly.
    """

    start: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    revocation_set: tuple[str, ...]
    unbounded: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def survivors(self) -> tuple[Node, ...]:
        """What outlives a revocation of the start alone."""
        return tuple(node for node in self.nodes if node.survives)

    def as_json(self) -> dict[str, Any]:
        """Give it as ``stsguard blast --output json`` prints it."""
        return {
            "schema": 1,
            "start": self.start,
            "nodes": [node.as_json() for node in self.nodes],
            "edges": [edge.as_json() for edge in self.edges],
            "revocation_set": list(self.revocation_set),
            "unbounded": self.unbounded or None,
            "left_out": list(self.left_out),
        }


def account_node(account: str, partition: str) -> Node:
    """Give the node of whoever may do anything in an account."""
    arn = f"arn:{partition}:iam::{account}:root"
    return Node(arn, "account", arn)


def statement_of(*decisions: Decision) -> str:
    """Name the statements that allow a step."""
    seen = dict.fromkeys(f"{one.policy} {one.place}".strip() for decision in decisions for one in decision.deciding)
    return "; ".join(seen)
