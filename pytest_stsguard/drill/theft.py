"""Where credentials leak from beside AssumeRole: an instance, a container, a CI job, a console."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_stsguard.drill.ground import cloud_of
from pytest_stsguard.drill.metadata import fetch_credentials, fetch_instance_credentials

if TYPE_CHECKING:
    from pytest_stsguard.drill.stage import Stage

__all__ = ["ci_session", "console_session", "container_session", "instance_session"]


def instance_session(stage: Stage, *, instance: str, session: str, side: str | None = None) -> None:
    """Fetch the credentials of an instance over HTTP with IMDSv2."""
    endpoint = cloud_of(stage.ground, "an instance").instance(instance).metadata_url
    stage.hold(session, stage.ground.credentials_of(fetch_instance_credentials(endpoint)), side)


def container_session(stage: Stage, *, role: str, session: str, side: str | None = None) -> None:
    """Run a container with a role and fetch its credentials over HTTP, as its SDK does."""
    environ = cloud_of(stage.ground, "a container").container(stage.named(role)).environ
    endpoint, token = environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    stage.hold(session, stage.ground.credentials_of(fetch_credentials(endpoint, token)), side)


def ci_session(stage: Stage, *, role: str, session: str, side: str | None = None) -> None:
    """Take a session as a GitHub job does, with a token of its identity provider; the role comes to trust it."""
    provider = stage.provider
    name = "token.actions.githubusercontent.com"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider.arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{name}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{name}:sub": "repo:acme/*"},
        },
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stage.client("iam").update_assume_role_policy(RoleName=stage.named(role), PolicyDocument=text)
    answer = stage.client("sts").assume_role_with_web_identity(
        RoleArn=stage.arn(role), RoleSessionName=session, WebIdentityToken=provider.token()
    )
    stage.hold(session, stage.ground.credentials_of(answer["Credentials"]), side)


def console_session(stage: Stage, *, by: str, session: str, side: str | None = None) -> None:
    """Sign in to the console with a session's credentials; the pages call with what the sign-in gives."""
    stage.hold(session, cloud_of(stage.ground, "a console").sign_in(stage.session(by).credentials), side)
