"""The walk from what was stolen to everything that it can become, the nearest first."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reach.blast.assume import assumptions, federation
from pytest_stsguard.reach.blast.model import Blast, Call, Edge, Node, account_node
from pytest_stsguard.reach.blast.passing import passings
from pytest_stsguard.reach.blast.promoting import administration, elevations, promotions
from pytest_stsguard.reach.blast.writing import credentials, trust_changes, undoings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.policy import Policy
    from pytest_stsguard.reach.blast.ground import Doors, Ground
    from pytest_stsguard.reach.permissions import Holder

__all__ = ["blast_radius"]

EVERY_STEP: Final = 100
"""Identities up to which every step between them is told; of more, one step to each, and those back to the start."""

_BECOMING: Final = frozenset({"assume-role", "update-trust-policy"})


def blast_radius(ground: Ground, start: str, *, session: Sequence[Policy] | None = None) -> Blast:
    """Find what a thief can turn a stolen session, role or user into.

    Each step is asked of the policy engine with the policies as they are; conditions that a thief's surroundings decide
    (source network, time of day) count as AWS would evaluate an ordinary call.

    Args:
        ground: the account, or the accounts that may trust each other.
        start: the name or ARN of a role or user, or the ARN of a session.
        session: the session policies of the stolen session; None when it has none. The role itself, which a step may lead
            to, is then another node than the session.

    Raises:
        ConfigurationError: there is no such role or user.
    """
    return _Walk(ground, ground.find(start), session).result()


class _Walk:
    def __init__(self, ground: Ground, start: Holder, session: Sequence[Policy] | None) -> None:
        self._ground = ground
        self._start = start
        self._stolen = start if session is None else start.limited(session)
        kind = "role" if start.trust is not None else "user"
        self._id = start.arn if session is None else f"{start.arn}#session"
        self._nodes = {self._id: Node(self._id, kind if session is None else "session", start.arn)}
        self._edges: list[Edge] = []
        self._known: set[tuple[str, str, str]] = set()
        self._open: dict[str, tuple[int, Doors]] = {}

    def result(self) -> Blast:
        queue = deque([self._id])
        while queue:
            here = queue.popleft()
            holder = self._stolen if here == self._id else self._ground.holder(here)
            for edge, node in self._steps(holder) if holder is not None else ():
                self._add(replace(edge, source=here), node, queue)
        self._take_back()
        return self._blast()

    def _add(self, edge: Edge, node: Node, queue: deque[str]) -> None:
        key = (edge.source, edge.to, edge.kind)
        if key in self._known:
            return
        self._known.add(key)
        self._edges.append(edge)
        if node.id not in self._nodes:
            self._nodes[node.id] = node
            queue.append(node.id)

    def _steps(self, holder: Holder) -> Iterator[tuple[Edge, Node]]:
        for edge, node in self._direct(holder):
            yield edge, node
            if edge.kind in _BECOMING:
                yield from elevations(holder, self._ground, edge)

    def _direct(self, holder: Holder) -> Iterator[tuple[Edge, Node]]:
        if holder.may_do_anything():
            yield from administration(holder, self._ground)
            return
        wanted = self._wanted
        yield from assumptions(holder, self._ground, wanted, doors=self._doors(holder.arn.split(":")[4]))
        yield from federation(holder, self._ground)
        yield from credentials(holder, self._ground, wanted)
        yield from passings(holder, self._ground, wanted)
        yield from trust_changes(holder, self._ground, wanted)
        yield from promotions(holder, self._ground)
        for edge, node in undoings(holder, self._start):
            yield replace(edge, to=self._id), replace(node, id=self._id)

    def _wanted(self, arn: str) -> bool:
        """Tell whether a step to an identity is still of interest."""
        return arn not in self._nodes or arn == self._start.arn or len(self._nodes) <= EVERY_STEP

    def _doors(self, account: str) -> Doors:
        """Give an account's doors; among many identities, now and then without those that are known already."""
        size, doors = self._open.get(account, (0, self._ground.doors(account)))
        if len(self._nodes) > max(EVERY_STEP, 2 * size):
            size, doors = len(self._nodes), doors.without(lambda arn: not self._wanted(arn))
        self._open[account] = size, doors
        return doors

    def _take_back(self) -> None:
        """Whoever may do anything in the start's account can also take back what contains the start."""
        parts = self._start.arn.split(":")
        everything = account_node(parts[4], parts[1])
        if everything.id in self._nodes and self._start.trust is not None:
            parameters = {"RoleName": self._start.name, "PolicyName": "AWSRevokeOlderSessions"}
            call = Call("iam", "DeleteRolePolicy", parameters)
            self._edges.append(Edge(everything.id, self._id, "undo-containment", "whoever may do anything", (call,)))

    def _blast(self) -> Blast:
        start = self._id
        comes_back = any(edge.to == start and edge.source != start for edge in self._edges)
        nodes = tuple(replace(node, survives=comes_back if node.id == start else True) for node in self._nodes.values())
        accounts = [node.arn.split(":")[4] for node in nodes if node.kind == "account"]
        unbounded = f"the thief can come to do anything in account {', '.join(accounts)}" if accounts else ""
        together = dict.fromkeys(node.arn for node in nodes if node.kind in {"session", "role", "user", "new user"})
        return Blast(start, nodes, tuple(self._edges), tuple(together), unbounded, self._left_out())

    def _left_out(self) -> tuple[str, ...]:
        """Say what the source lacks of the identities that were reached."""
        found: dict[str, None] = {}
        for arn in self._nodes:
            holder, account = self._ground.holder(arn), self._ground.account_of(arn)
            for name in account.missing_policies(holder.principal) if holder and account else ():
                found[f"{arn}: `{name}` is not in the source"] = None
        if len(self._nodes) > EVERY_STEP:
            found[f"of more than {EVERY_STEP} identities one step to each is told"] = None
        return tuple(found)
