"""No sequence of calls gives a session that outlives its row of the table, or more rights than its policies."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pytest_stsguard.cloud import Cloud, Credentials
from pytest_stsguard.cloud.sts import limits

# What may be granted, and the call that shows whether it is.
ACTIONS = {
    "s3:ListAllMyBuckets": ("s3", "list_buckets"),
    "sqs:ListQueues": ("sqs", "list_queues"),
    "dynamodb:ListTables": ("dynamodb", "list_tables"),
}
ALWAYS = ["sts:AssumeRole", "sts:GetFederationToken", "sts:TagSession"]
DENIALS = {"AccessDenied", "AccessDeniedException"}
subsets = st.sets(st.sampled_from(sorted(ACTIONS)))
durations = st.sampled_from([None, 899, 900, 3600, 3601, 7200, 7201, 43_200, 43_201, 129_600, 129_601])
# botocore checks the least duration by itself: it is the service's answer that counts here.
UNCHECKED: Any = Config(parameter_validation=False)
ROLES = {"red": 3600, "blue": 7200, "long": 43_200}


def document(actions: set[str], *more: str) -> str:
    statement = {"Effect": "Allow", "Action": [*sorted(actions), *more] or ["none:None"], "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@dataclass
class Held:
    """A session with what it may do and how long it may live, as the rules of AWS say."""

    credentials: Credentials
    kind: str
    rights: frozenset[str]
    ends: datetime
    owner: str
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.credentials.session().client(service, config=UNCHECKED)
        return self.clients[service]


class Sessions(RuleBasedStateMachine):
    """One user, three roles, and any sequence of the operations that make sessions."""

    cloud: Cloud

    def __init__(self) -> None:
        super().__init__()
        self.cloud = Cloud(world="empty")
        self.cloud.__enter__()
        iam = self.cloud.client("iam")
        self.iam = iam
        iam.create_user(UserName="alice")
        self.grants: dict[str, frozenset[str]] = {}
        key = self.cloud.user_credentials("alice")
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.cloud.account}:root"}, "Action": "sts:*"}
        for name, longest in ROLES.items():
            iam.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}),
                MaxSessionDuration=longest,
            )
        self.grant("alice", set(ACTIONS))
        for name in ROLES:
            self.grant(name, set(ACTIONS))
        self.user = Held(
            key, "user", frozenset(ACTIONS), datetime.max.replace(tzinfo=self.cloud.clock.now().tzinfo), "alice"
        )
        self.held: list[Held] = []

    def teardown(self) -> None:
        self.cloud.__exit__()

    def grant(self, owner: str, actions: set[str]) -> None:
        text = document(actions, *ALWAYS)
        if owner == "alice":
            self.iam.put_user_policy(UserName=owner, PolicyName="own", PolicyDocument=text)
        else:
            self.iam.put_role_policy(RoleName=owner, PolicyName="own", PolicyDocument=text)
        self.grants[owner] = frozenset(actions)

    def caller(self, number: int) -> Held:
        everyone = [self.user, *self.held]
        return everyone[number % len(everyone)]

    def made(self, by: Held, call: str, longest: int, **params: Any) -> Credentials | None:
        """Make a session; None when it is refused, which it must be beyond the longest duration."""
        params = {name: value for name, value in params.items() if value is not None}
        asked = params.get("DurationSeconds")
        now = self.cloud.clock.now()
        try:
            answer = getattr(by.client("sts"), call)(**params)
        except ClientError:
            return None
        assert by.ends > now, "an expired session makes no other"
        assert asked is None or 900 <= asked <= longest
        held = self.cloud.credentials_of(answer["Credentials"])
        assert held.expiration is not None
        assert held.expiration <= self.cloud.clock.now() + timedelta(seconds=asked or longest)
        return held

    @rule(who=st.integers(0, 99), role=st.sampled_from(sorted(ROLES)), seconds=durations, policy=st.none() | subsets)
    def assume_role(self, who: int, role: str, seconds: int | None, policy: set[str] | None) -> None:
        by = self.caller(who)
        longest = limits.CHAINED_SECONDS if by.kind == "role" else ROLES[role]
        text = None if policy is None else document(policy, *ALWAYS)
        params = {
            "RoleArn": self.cloud.role_arn(role),
            "RoleSessionName": "s",
            "Policy": text,
            "DurationSeconds": seconds,
        }
        held = self.made(by, "assume_role", longest, **params)
        if held is not None:
            assert by.kind != "federated-user"
            self.keep(held, "role", role, policy)

    @rule(who=st.integers(0, 99), seconds=durations, policy=st.none() | subsets)
    def get_federation_token(self, who: int, seconds: int | None, policy: set[str] | None) -> None:
        by = self.caller(who)
        text = None if policy is None else document(policy, *ALWAYS)
        held = self.made(by, "get_federation_token", 129_600, Name="visitor", Policy=text, DurationSeconds=seconds)
        if held is not None:
            assert by.kind == "user", "only long-term keys make federation tokens"
            self.keep(held, "federated-user", "alice", set() if policy is None else policy)

    @rule(who=st.integers(0, 99), seconds=durations)
    def get_session_token(self, who: int, seconds: int | None) -> None:
        by = self.caller(who)
        held = self.made(by, "get_session_token", 129_600, DurationSeconds=seconds)
        if held is not None:
            assert by.kind == "user", "only long-term keys make session tokens"
            self.keep(held, "session-token", "alice", None)

    def keep(self, held: Credentials, kind: str, owner: str, policy: set[str] | None) -> None:
        rights = frozenset(ACTIONS if policy is None else policy)
        assert held.expiration is not None
        self.held.append(Held(held, kind, rights, held.expiration, owner))
        del self.held[:-6]

    @rule(owner=st.sampled_from(["alice", *sorted(ROLES)]), actions=subsets)
    def change_permissions(self, owner: str, actions: set[str]) -> None:
        self.grant(owner, actions)

    @rule(seconds=st.sampled_from([1, 899, 3600, 43_200]))
    def wait(self, seconds: int) -> None:
        self.cloud.clock.advance(seconds)

    @precondition(lambda self: self.held)
    @rule(who=st.integers(0, 99), action=st.sampled_from(sorted(ACTIONS)))
    def use(self, who: int, action: str) -> None:
        """A live session may do what both its own policies and its role's or user's allow, and nothing else."""
        one = self.held[who % len(self.held)]
        service, method = ACTIONS[action]
        before = self.cloud.clock.now()
        try:
            getattr(one.client(service), method)()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in DENIALS:
                assert action not in one.rights & self.grants[one.owner]
            else:
                assert code in {"ExpiredToken", "ExpiredTokenException"}, code
                assert self.cloud.clock.now() >= one.ends
            return
        assert before < one.ends
        assert action in one.rights & self.grants[one.owner]

    @invariant()
    def no_session_outlives_its_row(self) -> None:
        for session in self.cloud.tokens.ledger.sessions():
            longest = limits.CHAINED_SECONDS if session.chained else limits.SESSION_BY_KIND[session.kind].seconds.most
            assert session.expires_at - session.issued_at <= timedelta(seconds=longest)


TestSessions = Sessions.TestCase
TestSessions.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
