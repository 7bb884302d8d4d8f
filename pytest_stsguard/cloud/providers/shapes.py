"""What the tokens of well-known issuers look like: issuer, where the keys are, audience, claims.

From GitHub's "OpenID Connect reference", GitLab's "OpenID Connect (OIDC) Authentication Using ID Tokens" and the
Kubernetes documentation on projected service account tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SHAPES", "Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of issuer. `claims` makes the claims of a token from what its maker says of the job."""

    issuer: str
    audience: str
    jwks_path: str
    claims: Callable[[Mapping[str, Any]], dict[str, Any]]
    lifetime: int = 300
    algorithm: str = "RS256"
    facts: Mapping[str, Any] = field(default_factory=dict)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return dict(facts)


def _github(facts: Mapping[str, Any]) -> dict[str, Any]:
    repository, ref = str(facts["repository"]), str(facts["ref"])
    environment = facts.get("environment")
    owner = repository.partition("/")[0]
    where = f"environment:{environment}" if environment else f"ref:{ref}"
    workflow = f"{repository}/.github/workflows/{facts['workflow']}.yml@{ref}"
    return {
        "sub": f"repo:{repository}:{where}",
        "repository_owner": owner,
        "job_workflow_ref": workflow,
        "workflow_ref": workflow,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "event_name": "push",
        "runner_environment": "github-hosted",
        **facts,
    }


def _gitlab(facts: Mapping[str, Any]) -> dict[str, Any]:
    project, ref = str(facts["project_path"]), str(facts["ref"])
    return {
        "sub": f"project_path:{project}:ref_type:{facts['ref_type']}:ref:{ref}",
        "namespace_path": project.rpartition("/")[0],
        "pipeline_source": "push",
        **facts,
    }


def _eks(facts: Mapping[str, Any]) -> dict[str, Any]:
    namespace, account = str(facts["namespace"]), str(facts["service_account"])
    return {
        "sub": f"system:serviceaccount:{namespace}:{account}",
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account}},
        **{key: value for key, value in facts.items() if key not in {"namespace", "service_account"}},
    }


_CLUSTER: Final = "0A1B2C3D4E5F60718293A4B5C6D7E8F9"

SHAPES: Final = {
    "plain": Shape("https://idp.example.com", "stsguard", "/keys", _plain, algorithm="ES256", facts={"sub": "alice"}),
    "github": Shape(
        "https://token.actions.githubusercontent.com",
        "sts.amazonaws.com",
        "/.well-known/jwks",
        _github,
        facts={
            "repository": "acme/app",
            "repository_id": "123456",
            "ref": "refs/heads/main",
            "actor": "octocat",
            "actor_id": "583231",
            "workflow": "deploy",
        },
    ),
    "gitlab": Shape(
        "https://gitlab.com",
        "https://gitlab.com",
        "/oauth/discovery/keys",
        _gitlab,
        facts={"project_path": "acme/app", "ref": "main", "ref_type": "branch"},
    ),
    "eks": Shape(
        f"https://oidc.eks.us-east-1.amazonaws.com/id/{_CLUSTER}",
        "sts.amazonaws.com",
        "/keys",
        _eks,
        lifetime=86_400,
        facts={"namespace": "default", "service_account": "app"},
    ),
}
"""The shapes by the names that `sts_oidc_provider` takes."""
