"""Resource policies where moto keeps them: one reader for each service, by the resource's ARN.

A reader gives the text of the policy, or None for a resource without one. A service that keeps resource policies and has
no reader here is refused by name once it holds one (`UNREAD`): a policy is never skipped silently.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.layers.access_points import find_access_point, is_access_point, point_policy, restricted
from pytest_stsguard.cloud.layers.buckets import Buckets
from pytest_stsguard.cloud.layers.grants import with_grants
from pytest_stsguard.cloud.layers.sharing import is_owners_alone
from pytest_stsguard.policy.arns import account_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.state import State
    from pytest_stsguard.policy import Policy

__all__ = ["READERS", "UNREAD", "ResourcePolicies"]

_ARN_PARTS = 6


class ResourcePolicies:
    """The policy of any resource, read at the moment of a call."""

    def __init__(self, backend: Backend, state: State) -> None:
        self._backend = backend
        self._state = state
        self.buckets = Buckets(backend, state)

    def of(self, arn: str, caller: Caller, action: str) -> Policy | None:
        """Give the policy that speaks for a resource to `caller` who asks for `action`; None where none does.

        Raises:
            Fault: the service keeps a policy on it that is not read here.
            PolicyError: the policy cannot be read.
        """
        if arn.startswith("arn:aws:s3:::"):
            return self.buckets.policy(arn, caller)
        if account_of(arn) != caller.account and is_owners_alone(action):
            return None
        text = self.text(arn)
        if self._state.propagation is not None:
            text = self._state.propagation.seen(("resource", arn), text)
        if text and is_access_point(arn):
            text = restricted(text, find_access_point(self._backend, arn), account_of(arn) or "", caller)
        return self._state.parse(text, kind="resource", name=f"resource policy of {arn}") if text else None

    def text(self, arn: str) -> str | None:
        """Give the text of a resource's policy as it truly is, its grants added; None for a bucket's or an object's."""
        parts = arn.split(":", _ARN_PARTS - 1)
        if len(parts) < _ARN_PARTS or parts[0] != "arn":
            return None
        service, region, account, tail = parts[2], parts[3], parts[4], parts[5]
        if is_access_point(arn):
            point = find_access_point(self._backend, arn)
            return None if point is None else point_policy(point)
        reader, unread = READERS.get(service), UNREAD.get(service)
        if reader is None and unread is None:
            return None
        try:
            store = self._backend.service(_STORES.get(service, service), account=account or None, region=region or None)
        except ImportError:
            # A package that moto needs for the service is not installed: nothing of it exists then, nor can be made.
            return None
        if reader is not None:
            return reader(store, arn, tail)
        if unread is not None and unread(store, arn):
            raise Fault(
                Refusal.NOT_SIMULATED, f"stsguard does not read the resource policies of `{service}` yet: {arn}"
            )
        return None

    def facts(self, arns: Iterable[str]) -> dict[Hashable, Any]:
        """What speaks for these resources, as it truly is, by what `Propagation` knows it."""
        facts: dict[Hashable, Any] = {}
        for arn in arns:
            if arn.startswith("arn:aws:s3:::"):
                bucket = self.buckets.find(name := arn.rpartition(":::")[2].partition("/")[0])
                facts["bucket", name] = None if bucket is None else self.buckets.settings(bucket)
            else:
                facts["resource", arn] = self.text(arn)
        return facts


def _queue(store: Any, _: str, tail: str) -> str | None:
    queue = store.queues.get(tail)
    return None if queue is None else _text(queue._policy_json)  # noqa: SLF001 - its property hides an empty one alone


def _topic(store: Any, arn: str, tail: str) -> str | None:
    # A subscription's ARN ends with an id behind its topic's.
    topic = store.topics.get(arn) or store.topics.get(arn.rpartition(":")[0] if ":" in tail else "")
    return None if topic is None else _text(topic._policy_json)  # noqa: SLF001 - as above


def _key(store: Any, arn: str, tail: str) -> str | None:
    kind, _, name = tail.partition("/")
    if kind == "alias":
        found = next((key for key in list(store.keys.values()) if f"alias/{name}" in key.aliases), None)
    else:
        found = store.keys.get(name)
    if found is None:
        # AWS says that the key does not exist, to those whom their own account admits.
        return _delegating(arn.split(":")[4]) if kind == "key" else None
    return with_grants(found)


def _secret(store: Any, arn: str, _: str) -> str | None:
    found = next((each for each in dict.values(store.secrets) if each.arn == arn), None)
    return None if found is None else getattr(found, "policy", None)


def _function(store: Any, _: str, tail: str) -> str | None:
    kind, name, *qualifier = tail.split(":")
    if kind != "function":
        return None
    from moto.awslambda.exceptions import UnknownFunctionException  # noqa: PLC0415 - with the service that asks

    try:
        found = store.get_function(name, qualifier[0] if qualifier else None)
    except UnknownFunctionException:
        return None
    statements = [_lambda_statement(each) for each in list(found.policy.statements)]
    return _text({"Version": "2012-10-17", "Statement": statements})


def _lambda_statement(stored: dict[str, Any]) -> dict[str, Any]:
    """Write what AddPermission was given as Lambda does; moto leaves an account id or a user's ARN bare."""
    statement: dict[str, Any] = {
        name: stored[name] for name in ("Sid", "Effect", "Action", "Resource", "Condition") if name in stored
    }
    principal = stored.get("Principal")
    if isinstance(principal, str) and principal != "*":
        principal = {"Service" if principal.endswith(".amazonaws.com") else "AWS": principal}
    statement["Principal"] = principal
    if "FunctionUrlAuthType" in stored:
        condition = {**statement.get("Condition", {})}
        condition["StringEquals"] = {
            **condition.get("StringEquals", {}),
            "lambda:FunctionUrlAuthType": stored["FunctionUrlAuthType"],
        }
        statement["Condition"] = condition
    return statement


def _repository(store: Any, _: str, tail: str) -> str | None:
    found = store.repositories.get(tail.partition("/")[2])
    if found is None or not found.policy:
        return None
    # A repository's policy names no resource: it is the repository's own.
    return str(found.policy)


def _table(store: Any, arn: str, _: str) -> str | None:
    # An index is under the policy of its table; a stream has one of its own.
    names = [arn] if "/stream/" in arn else [arn, arn.partition("/index/")[0]]
    found = next((store.resource_policies[name] for name in names if name in store.resource_policies), None)
    return None if found is None else str(found.policy_doc)


def _bus(store: Any, _: str, tail: str) -> str | None:
    kind, _, name = tail.partition("/")
    found = store.event_buses.get(name) if kind == "event-bus" else None
    return None if found is None else found.policy


def _by_arn(store: Any, arn: str, _: str) -> str | None:
    """Read what several of moto's services keep in one dictionary by ARN: a text, a mapping that holds it, or an object."""
    held = store.resource_policies.get(arn)
    if isinstance(held, dict):
        held = held.get("ResourcePolicy")
    text = getattr(held, "policy", held)
    return str(text) if text else None


def _authority(store: Any, arn: str, _: str) -> str | None:
    return getattr(store.certificate_authorities.get(arn), "policy", None)


def _cluster(store: Any, arn: str, _: str) -> str | None:
    return (store.policies.get(arn) or {}).get("policy")


def _catalog(store: Any, _: str, __: str) -> str | None:
    """Glue keeps one policy for the whole catalogue of an account and region."""
    texts = [each["PolicyInJson"] for each in list(store.resource_policies.values()) if each.get("PolicyInJson")]
    return _joined(texts)


def _logs(store: Any, arn: str, tail: str) -> str | None:
    """A destination has its own policy; the others are of the account, and name the log groups that they are for."""
    if tail.startswith("destination:"):
        found = store.destinations.get(arn)
        return None if found is None else found.access_policy
    return _joined([each.policy_document for each in list(store.resource_policies.values())])


def _api(store: Any, _: str, tail: str) -> str | None:
    found = store.apis.get(tail.partition("/")[0])
    policy = getattr(found, "policy", None)
    # The console and the CLI send it with its quotes escaped.
    return str(policy).replace('\\"', '"') if policy else None


def _file_system(store: Any, _: str, tail: str) -> str | None:
    found = store.file_systems_by_id.get(tail.partition("/")[2])
    return None if found is None else found.file_system_policy


def _container(store: Any, _: str, tail: str) -> str | None:
    found = store._containers.get(tail.partition("/")[2].partition("/")[0])  # noqa: SLF001 - moto has no other way
    return None if found is None else found.policy


READERS: Final[dict[str, Callable[[Any, str, str], str | None]]] = {
    "acm-pca": _authority,
    "cloudhsm": _by_arn,
    "comprehend": _by_arn,
    "dynamodb": _table,
    "ecr": _repository,
    "elasticfilesystem": _file_system,
    "events": _bus,
    "execute-api": _api,
    "glue": _catalog,
    "kafka": _cluster,
    "kinesis": _by_arn,
    "kms": _key,
    "lambda": _function,
    "logs": _logs,
    "mediastore": _container,
    "osis": _by_arn,
    "payment-cryptography": _by_arn,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
}
"""By the service prefix of the ARN: from moto's backend, the ARN and its last part to the policy's text."""

UNREAD: Final[dict[str, Callable[[Any, str], bool]]] = {
    "ses": lambda store, arn: _has_policies(store, arn.rpartition("identity/")[2]),
    "vpc-lattice": lambda store, arn: arn in store.resource_policies or bool(store.auth_policies),
}
"""By the service prefix of the ARN: whether moto keeps a policy on the resource."""

# moto's names of services whose ARNs bear another.
_STORES: Final = {
    "acm-pca": "acmpca",
    "cloudhsm": "cloudhsmv2",
    "payment-cryptography": "paymentcryptography",
    "ses": "sesv2",
    "elasticfilesystem": "efs",
    "execute-api": "apigateway",
    "lambda": "awslambda",
    "vpc-lattice": "vpclattice",
}


def _has_policies(store: Any, identity: str) -> bool:
    found = store.core_backend.email_identities.get(identity)
    return bool(getattr(found, "policies", None))


def _delegating(account: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*", "Resource": "*"}
    return _text({"Version": "2012-10-17", "Statement": [statement]}) or ""


def _joined(texts: list[str]) -> str | None:
    """Put several policies on one resource together."""
    if len(texts) <= 1:
        return texts[0] if texts else None
    statements: list[Any] = []
    for text in texts:
        stated = json.loads(text).get("Statement", [])
        statements.extend(stated if isinstance(stated, list) else [stated])
    return _text({"Version": "2012-10-17", "Statement": statements})


def _text(document: Any) -> str | None:
    """Write a document; None for one that says nothing."""
    return json.dumps(document) if document and document.get("Statement") else None
