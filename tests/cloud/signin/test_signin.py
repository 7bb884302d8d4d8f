from __future__ import annotations

import http.client
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from pytest_stsguard.cloud.signin import console_credentials, sign_in_url
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from conftest import World
    from pytest_stsguard.cloud import Credentials

ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}
EVERYTHING = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


def get(world: World, method: str = "GET", path: str | None = None, **query: str) -> tuple[int, str]:
    parts = urlsplit(world.cloud.federation_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request(method, f"{path or parts.path}?{urlencode(query)}")
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def session_of(held: Credentials) -> str:
    values = {"sessionId": held.access_key_id, "sessionKey": held.secret_access_key, "sessionToken": held.session_token}
    return json.dumps(values)


def federated(world: World) -> Credentials:
    answer = world.cloud.client("sts").get_federation_token(Name="visitor", Policy=EVERYTHING)
    return world.cloud.credentials_of(answer["Credentials"])


def test_a_role_signs_in_and_its_calls_go_through_the_gate(world: World) -> None:
    held = world.assume(world.role(access=({"Effect": "Allow", "Action": "s3:*", "Resource": "*"},)))
    console = world.cloud.sign_in(held)

    assert console.access_key_id != held.access_key_id
    assert console.arn == held.arn
    assert (console.expiration, console.issued_at) == (held.expiration, held.issued_at)
    world.cloud.client("s3", console).list_buckets()
    assert world.refused(world.cloud.client("ec2", console).describe_instances).code == "UnauthorizedOperation"
    names = [record["eventName"] for record in world.cloud.trail.records()]
    assert names.index("GetSigninToken") < names.index("ConsoleLogin")
    login = next(record for record in world.cloud.trail.records() if record["eventName"] == "ConsoleLogin")
    assert (login["eventSource"], login["eventType"]) == ("signin.amazonaws.com", "AwsConsoleSignIn")
    assert login["userIdentity"]["arn"] == held.arn
    assert login["additionalEventData"] == {"MobileVersion": "No", "MFAUsed": "No"}


def test_a_console_session_lasts_twelve_hours_if_it_is_asked_to(world: World) -> None:
    held = world.assume(world.role())
    long = world.cloud.sign_in(held, duration=43_200)
    world.clock.advance(2 * 3600)

    assert world.refused(world.cloud.client("s3", held).list_buckets).code == "ExpiredToken"
    world.cloud.client("s3", long).list_buckets()
    world.clock.advance(10 * 3600)
    assert world.refused(world.cloud.client("s3", long).list_buckets).code == "ExpiredToken"


@pytest.mark.parametrize("duration", [899, 43_201, 0, 10**12])
def test_a_duration_out_of_range_is_refused(world: World, duration: int) -> None:
    with pytest.raises(CloudError, match="400: sessionDuration must be between 900 and 43200"):
        world.cloud.sign_in(world.assume(world.role()), duration=duration)


def test_chained_and_federated_credentials_name_no_duration(world: World) -> None:
    chained = world.assume(world.role("second"), world.assume(world.role("first")))
    for held in (chained, federated(world)):
        with pytest.raises(CloudError, match="sessionDuration is not allowed"):
            world.cloud.sign_in(held, duration=3600)
        assert world.cloud.sign_in(held)


def test_a_federated_user_may_use_iam_in_the_console_alone(world: World) -> None:
    held = federated(world)
    assert world.refused(world.cloud.client("iam", held).list_users).code == "InvalidClientTokenId"
    assert world.cloud.client("iam", world.cloud.sign_in(held)).list_users()["Users"]


def test_the_kinds_that_cannot_sign_in(world: World) -> None:
    token = world.cloud.credentials_of(world.cloud.client("sts").get_session_token()["Credentials"])
    console = world.cloud.sign_in(world.assume(world.role()))
    for held in (token, console):
        with pytest.raises(CloudError, match="only credentials of AssumeRole or GetFederationToken"):
            world.cloud.sign_in(held)
    with pytest.raises(CloudError, match="not valid"):
        world.cloud.sign_in(world.cloud.admin)


def test_a_sign_in_url_is_good_for_fifteen_minutes(world: World) -> None:
    url = sign_in_url(world.cloud.federation_url, world.assume(world.role()))
    assert console_credentials(url)
    world.clock.advance(899)
    assert console_credentials(url)
    world.clock.advance(2)
    with pytest.raises(CloudError, match="has expired"):
        console_credentials(url)


def test_a_late_login_does_not_escape_a_revocation(world: World) -> None:
    held = world.assume(world.role())
    url = sign_in_url(world.cloud.federation_url, held)
    console = world.cloud.credentials_of(console_credentials(url))
    world.clock.advance(2)
    cutoff = world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    deny = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": cutoff}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    world.iam.put_role_policy(RoleName="target", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document)

    late = world.cloud.credentials_of(console_credentials(url))
    for session in (held, console, late):
        assert world.refused(world.cloud.client("s3", session).list_buckets).code == "AccessDenied"
    world.cloud.client("s3", world.cloud.sign_in(world.assume("target"))).list_buckets()


def test_expired_credentials_cannot_sign_in(world: World) -> None:
    held = world.assume(world.role(), DurationSeconds=900)
    world.clock.advance(900)
    with pytest.raises(CloudError, match="have expired"):
        world.cloud.sign_in(held)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"Action": "other"},
        {"Action": "getSigninToken"},
        {"Action": "getSigninToken", "Session": "{"},
        {"Action": "getSigninToken", "Session": "[]"},
        {"Action": "getSigninToken", "Session": "[" * 20_000},
        {"Action": "getSigninToken", "Session": '{"sessionId": 5}'},
        {"Action": "getSigninToken", "Session": '{"sessionId": "ASIA", "sessionKey": "ü", "sessionToken": ""}'},
        {"Action": "login"},
        {"Action": "login", "SigninToken": "x", "Destination": "https://console.aws.amazon.com/"},
    ],
)
def test_a_malformed_request_is_a_400(world: World, query: dict[str, str]) -> None:
    assert get(world, **query)[0] == 400


@pytest.mark.parametrize(
    "destination",
    ["", "http://console.aws.amazon.com/", "https://evil.example.com/", "https://evil-aws.amazon.com.example/", "//x"],
)
def test_no_login_leads_elsewhere(world: World, destination: str) -> None:
    url = sign_in_url(world.cloud.federation_url, world.assume(world.role()))
    token = dict(pair.split("=") for pair in urlsplit(url).query.split("&"))["SigninToken"]
    assert get(world, Action="login", SigninToken=token, Destination=destination)[0] == 400
    assert (
        get(world, Action="login", SigninToken=token, Destination="https://console.aws.amazon.com/\r\nX: y")[0] == 400
    )


def test_a_wrong_secret_or_token_does_not_sign_in(world: World) -> None:
    held = world.assume(world.role())
    good: Any = json.loads(session_of(held))
    for name in ("sessionKey", "sessionToken"):
        status, body = get(world, Action="getSigninToken", Session=json.dumps({**good, name: "wrong"}))
        assert (status, "not valid" in body) == (400, True)
    assert get(world, Action="getSigninToken", Session=json.dumps(good))[0] == 200


def test_other_paths_methods_and_cookies(world: World) -> None:
    assert get(world, path="/other")[0] == 404
    assert get(world, "DELETE")[0] == 405
    assert get(world, path="/console/tb/creds")[0] == 401


def test_the_console_needs_a_live_session(world: World) -> None:
    console = world.cloud.sign_in(world.assume(world.role(), DurationSeconds=900))
    assert console.expiration is not None
    assert console.expiration - world.clock.now() <= timedelta(seconds=900)
