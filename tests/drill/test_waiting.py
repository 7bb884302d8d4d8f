"""The assertions wait for a change to spread, believe no single denial, and wait for nothing that cannot come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.asserts import assert_allowed, assert_contained, assert_denied
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pytest_stsguard.cloud import Cloud, Credentials

DELAY = 40
PROBE = "s3.list_buckets"
late = pytest.mark.stsguard_cloud(consistency=DELAY)


class Counted:
    """A probe that counts how often it is made."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, session: Any) -> None:
        self.times += 1
        session.client("s3").list_buckets()


def seconds_since(cloud: Cloud, moment: datetime) -> float:
    return (cloud.clock.now() - moment).total_seconds()


@late
def test_denial_is_waited_for_while_the_revocation_spreads(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    stolen, probe = sts_assume_role("A4L-DataRole"), Counted()
    sts_revoke("A4L-DataRole")
    before = sts_cloud.clock.now()
    with pytest.raises(AssertionError, match="to be denied, but it was allowed"):
        assert_denied(stolen, PROBE, within=0)
    assert seconds_since(sts_cloud, before) < 1
    assert_denied(stolen, probe)
    assert 1 < seconds_since(sts_cloud, before) < DELAY + 5
    assert probe.times > 3
    assert_contained(stolen=stolen, fresh=sts_assume_role("A4L-DataRole"))


@late
def test_deadline_is_kept_and_told(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    stolen = sts_assume_role("A4L-DataRole")
    sts_revoke("A4L-DataRole")
    before = sts_cloud.clock.now()
    with pytest.raises(AssertionError, match="waited 2 s for it"):
        assert_denied(stolen, PROBE, within=2, in_a_row=1000)
    assert seconds_since(sts_cloud, before) < 500


@late
def test_permission_that_is_given_back_is_waited_for(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    stolen = sts_assume_role("A4L-DataRole")
    revocation = sts_revoke("A4L-DataRole")
    sts_cloud.clock.advance(DELAY)
    assert_denied(stolen, PROBE)
    revocation.remove()
    with pytest.raises(AssertionError, match="to be allowed, but it was denied"):
        assert_allowed(stolen, PROBE, within=0)
    assert_allowed(stolen, PROBE)
    sts_cloud.clock.advance(DELAY)
    assert_allowed(stolen, in_a_row=2)


def test_nothing_is_waited_for_where_changes_are_seen_at_once(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    stolen, probe, before = sts_assume_role("A4L-DataRole"), Counted(), sts_cloud.clock.now()
    with pytest.raises(AssertionError, match="but it was allowed"):
        assert_denied(stolen, "s3.list_buckets")
    assert_allowed(stolen, probe)
    assert probe.times == 1
    sts_revoke("A4L-DataRole")
    assert_denied(stolen, probe)
    assert probe.times == 4
    assert_denied(stolen, probe, in_a_row=1)
    assert probe.times == 5
    assert seconds_since(sts_cloud, before) < 60


def test_expired_session_and_bad_signature_are_no_reason_to_wait(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]
) -> None:
    session = sts_assume_role("A4L-DataRole", DurationSeconds=900)
    forged = replace(session, secret_access_key="forged")
    before = sts_cloud.clock.now()
    for check in (assert_denied, assert_allowed):
        with pytest.raises(AssertionError, match="SignatureDoesNotMatch"):
            check(forged, PROBE, within=600)
    sts_cloud.clock.advance(901)
    for check in (assert_denied, assert_allowed):
        with pytest.raises(AssertionError, match="ExpiredToken"):
            check(session, PROBE, within=600)
        with pytest.raises(AssertionError, match="ExpiredToken"):
            check(session, within=600)
    assert seconds_since(sts_cloud, before) < 960


def test_trouble_that_passes_is_waited_out_and_never_taken_for_a_denial(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

    stolen, left = sts_assume_role("A4L-DataRole"), [5]
    sts_revoke("A4L-DataRole")

    def probe(session: Any) -> None:
        client = session.client("s3")
        left[0] -= 1
        if left[0] >= 0:
            error = (EndpointConnectionError, ConnectTimeoutError)[left[0] % 2]

            def fail(**_: Any) -> None:
                raise error(endpoint_url="http://127.0.0.1:9")

            client.meta.events.register_first("before-send", fail)
            client.meta.config.retries = {"total_max_attempts": 1}
        client.list_buckets()

    with pytest.raises(AssertionError, match="no authorization decision"):
        assert_denied(stolen, probe)
    left[0] = 3
    assert_denied(stolen, probe, within=60)
    assert left[0] <= -3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"within": -1}, "no number of seconds"),
        ({"within": "soon"}, "no number of seconds"),
        ({"within": True}, "no number of seconds"),
        ({"within": float("nan")}, "no number of seconds"),
        ({"within": float("inf")}, "no number of seconds"),
        ({"in_a_row": 0}, "no number of answers"),
        ({"in_a_row": 1.5}, "no number of answers"),
    ],
)
def test_what_is_no_deadline_is_refused(
    sts_assume_role: Callable[..., Credentials], options: dict[str, Any], words: str
) -> None:
    for check in (assert_denied, assert_allowed):
        with pytest.raises(ConfigurationError, match=words):
            check(sts_assume_role("A4L-DataRole"), PROBE, **options)
