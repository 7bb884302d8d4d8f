from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.cloud.sts import totp

if TYPE_CHECKING:
    from conftest import World
    from pytest_stsguard.cloud import Credentials

ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class Device:
    """A virtual device in a person's pocket: it holds the seed and shows codes."""

    def __init__(self, world: World, user: str, *, enable: bool = True) -> None:
        self.world = world
        device = world.iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]
        self.serial = device["SerialNumber"]
        self.seed = device["Base32StringSeed"]
        if enable:
            world.iam.enable_mfa_device(
                UserName=user,
                SerialNumber=self.serial,
                AuthenticationCode1=self.code(-30),
                AuthenticationCode2=self.code(0),
            )
            world.clock.advance(30)

    def code(self, shift: int = 0) -> str:
        return totp(self.seed, self.world.clock.now() + timedelta(seconds=shift))


def alice(world: World) -> tuple[Credentials, Device]:
    user = world.user("alice", ANY)
    return user, Device(world, "alice")


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", datetime.fromtimestamp(seconds, UTC)) == code


def test_a_device_is_enabled_with_two_consecutive_codes(world: World) -> None:
    world.user("alice")
    device = Device(world, "alice", enable=False)
    enable = world.iam.enable_mfa_device
    for first, second in ((0, 0), (0, -30), (-30, 30), (-90, -60)):
        found = world.refused(
            enable,
            UserName="alice",
            SerialNumber=device.serial,
            AuthenticationCode1=device.code(first),
            AuthenticationCode2=device.code(second),
        )
        assert (found.code, found.status) == ("InvalidAuthenticationCode", 403)
    enable(
        UserName="alice",
        SerialNumber=device.serial,
        AuthenticationCode1=device.code(-30),
        AuthenticationCode2=device.code(),
    )
    assert world.iam.list_mfa_devices(UserName="alice")["MFADevices"][0]["SerialNumber"] == device.serial


def test_a_token_with_mfa_opens_iam_and_ages(world: World) -> None:
    user, device = alice(world)
    answer = world.cloud.client("sts", user).get_session_token(SerialNumber=device.serial, TokenCode=device.code())
    held = world.cloud.credentials_of(answer["Credentials"])
    young = {"NumericLessThan": {"aws:MultiFactorAuthAge": "600"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
    role = world.role(condition=young)

    assert world.cloud.client("iam", held).list_users()
    assert world.assume(role, held)
    world.clock.advance(600)
    assert world.refused(world.assumed, role=role, by=held).code == "AccessDenied"


def test_a_role_that_asks_for_mfa_gets_it_with_the_call(world: World) -> None:
    user, device = alice(world)
    role = world.role(condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})

    assert world.refused(world.assumed, role=role, by=user).code == "AccessDenied"
    held = world.assume(role, user, SerialNumber=device.serial, TokenCode=device.code())
    assert world.refused(world.assumed, role=role, by=held).code == "AccessDenied", (
        "the role's session vouches for none"
    )


def test_a_code_counts_once_and_only_near_its_time(world: World) -> None:
    user, device = alice(world)
    sts = world.cloud.client("sts", user)
    code = device.code()
    sts.get_session_token(SerialNumber=device.serial, TokenCode=code)
    invalid = "MultiFactorAuthentication failed with invalid MFA one time pass code."
    for wrong in (code, device.code(-30), device.code(120)):
        found = world.refused(sts.get_session_token, SerialNumber=device.serial, TokenCode=wrong)
        assert (found.code, found.status, found.message) == ("AccessDenied", 403, invalid)
    world.clock.advance(30)
    assert sts.get_session_token(SerialNumber=device.serial, TokenCode=device.code())


def test_a_code_counts_once_among_threads_too(world: World) -> None:
    user, device = alice(world)
    sts = world.cloud.client("sts", user)
    code = device.code()

    def ask(_: int) -> bool:
        try:
            sts.get_session_token(SerialNumber=device.serial, TokenCode=code)
        except sts.exceptions.ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(16))) == 1


def test_a_device_of_another_and_half_a_proof_are_refused(world: World) -> None:
    user, device = alice(world)
    other = world.user("bob", ANY)
    role = world.role()

    def refused(by: Credentials, **params: str) -> str:
        found = world.refused(world.assumed, role=role, by=by, **params)
        assert (found.code, found.status) == ("AccessDenied", 403)
        return found.message

    assert "unable to validate MFA code" in refused(other, SerialNumber=device.serial, TokenCode=device.code())
    absent = f"arn:aws:iam::{world.account}:mfa/absent"
    assert "unable to validate MFA code" in refused(user, SerialNumber=absent, TokenCode="123456")
    assert "must provide both" in refused(user, SerialNumber=device.serial)
    assert "must provide both" in refused(user, TokenCode="123456")


def test_a_session_without_mfa_says_false_and_a_key_says_nothing(world: World) -> None:
    user = world.user("alice", ANY)
    deny = {
        "Effect": "Deny",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
    }
    world.iam.put_user_policy(
        UserName="alice", PolicyName="mfa", PolicyDocument=f'{{"Version":"2012-10-17","Statement":{_json(deny)}}}'
    )
    token = world.cloud.credentials_of(world.cloud.client("sts", user).get_session_token()["Credentials"])

    world.cloud.client("s3", user).list_buckets()
    assert world.refused(world.cloud.client("s3", token).list_buckets).code == "AccessDenied"


def _json(value: object) -> str:
    import json

    return json.dumps(value)
