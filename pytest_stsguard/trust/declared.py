"""Helpers of `[zones.trust]`: tables that declare a tenant of a shared issuer by name instead of by subject globs.

::

    github = [{owner = "acme", owner_id = "123", repositories = ["api"]}]
    gitlab = [{group = "acme/platform"}]            # host: a self-managed instance
    eks = [{issuer = "oidc.eks.eu-west-1.amazonaws.com/id/ABC", service_accounts = ["payments/*"]}]
    terraform_cloud = [{organization = "acme", project = "core", workspace = "prod"}]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.trust.issuers import GITHUB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["DECLARATIONS"]


class Declared(NamedTuple):
    """Tokens of an issuer: those whose subject matches a glob, or whose claim does."""

    issuer: str
    subjects: tuple[str, ...] | None
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()


def _need(given: Mapping[str, Any], key: str, place: str) -> str:
    if given[key] is None:
        raise ConfigurationError(f"`{key}` is missing", location=f"{place}.{key}")
    return str(given[key])


def _github(given: Mapping[str, Any], place: str) -> list[Declared]:
    """Declare an owner's repositories in both forms of the subject; the form with ids needs `owner_id`.

    A name alone would leave the new form open: whoever takes the name over has another id. The id of an owner all of
    whose repositories are declared is enough by itself.
    """
    owner, owner_id = _need(given, "owner", place), given["owner_id"]
    subjects = []
    names = given["repositories"] or ("*",)
    for name in names:
        subjects.append(f"repo:{owner}/{name}:*" if name != "*" else f"repo:{owner}/*")
        if owner_id is not None:
            subjects.append(f"repo:{owner}@{owner_id}/{name}@*:*" if name != "*" else f"repo:{owner}@{owner_id}/*")
    found = [Declared(GITHUB, tuple(subjects))]
    if owner_id is not None and "*" in names:
        found.append(Declared(GITHUB, None, (("repository_owner_id", (str(owner_id),)),)))
    return found


def _gitlab(given: Mapping[str, Any], place: str) -> list[Declared]:
    """Declare the projects of a group and of its subgroups."""
    group, projects = _need(given, "group", place), given["projects"]
    subjects = [f"project_path:{group}/{name}:*" for name in projects or ()] or [f"project_path:{group}/*"]
    return [Declared(given["host"] or "gitlab.com", tuple(subjects))]


def _eks(given: Mapping[str, Any], place: str) -> list[Declared]:
    """Declare service accounts of a cluster as ``namespace/name``; all of them when none is given."""
    issuer = _need(given, "issuer", place).removeprefix("https://")
    accounts = given["service_accounts"] or ("*/*",)
    for index, one in enumerate(accounts):
        if one.count("/") != 1:
            raise ConfigurationError("expected `namespace/name`", location=f"{place}.service_accounts[{index}]")
    return [Declared(issuer, tuple("system:serviceaccount:" + one.replace("/", ":") for one in accounts))]


def _terraform(given: Mapping[str, Any], place: str) -> list[Declared]:
    """Declare an organization, or one project or workspace of it."""
    organization = _need(given, "organization", place)
    subject = f"organization:{organization}:"
    if given["project"] is not None or given["workspace"] is not None:
        subject += f"project:{given['project'] or '*'}:workspace:{given['workspace'] or '*'}:"
    return [Declared(given["host"] or "app.terraform.io", (f"{subject}*",))]


DECLARATIONS: Final[dict[str, tuple[dict[str, bool], Callable[[Mapping[str, Any], str], list[Declared]]]]] = {
    "github": ({"owner": False, "owner_id": False, "repositories": True}, _github),
    "gitlab": ({"group": False, "projects": True, "host": False}, _gitlab),
    "eks": ({"issuer": False, "service_accounts": True}, _eks),
    "terraform_cloud": ({"organization": False, "project": False, "workspace": False, "host": False}, _terraform),
}
"""The helper tables: their keys (true for a list of texts) and what a row declares."""
