from __future__ import annotations

import itertools
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.clock import SimulatedClock
from pytest_stsguard.cloud.metadata import (
    CREDENTIAL_LIFETIME,
    CredentialRotation,
    InstanceCredentials,
    RoleNotAssumableError,
)
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from typing import Any


class Issuer:
    def __init__(self, clock: SimulatedClock, lifetime: timedelta = CREDENTIAL_LIFETIME) -> None:
        self.clock = clock
        self.lifetime = lifetime
        self.trusted = True
        self.numbers = itertools.count()

    def __call__(self, delivery: str) -> InstanceCredentials:
        if not self.trusted:
            raise RoleNotAssumableError("not trusted")
        now = self.clock.now()
        return InstanceCredentials(f"{delivery}-{next(self.numbers)}", "secret", "token", now, now + self.lifetime)


@pytest.fixture
def issuer(clock: SimulatedClock) -> Issuer:
    return Issuer(clock)


def test_the_same_credentials_are_given_until_five_minutes_before_their_end(
    clock: SimulatedClock, issuer: Issuer
) -> None:
    rotation = CredentialRotation(clock, issuer)
    first = rotation.current("2.0")
    clock.wait_until(first.expiration - timedelta(minutes=5, seconds=30))
    assert rotation.current("2.0") is first
    clock.wait_until(first.expiration - timedelta(minutes=5))
    second = rotation.current("2.0")
    assert second is not first
    assert rotation.current("2.0") is second


class Still(SimulatedClock):
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = super().now()

    def now(self) -> datetime:
        return self.moment


def test_five_minutes_to_the_microsecond() -> None:
    clock = Still()
    rotation = CredentialRotation(clock, Issuer(clock))
    first = rotation.current("2.0")
    clock.moment = first.expiration - timedelta(minutes=5, microseconds=1)
    assert rotation.current("2.0") is first
    clock.moment += timedelta(microseconds=1)
    assert rotation.current("2.0") is not first


def test_the_moment_can_be_set_earlier(clock: SimulatedClock, issuer: Issuer) -> None:
    rotation = CredentialRotation(clock, issuer, replace_before=timedelta(hours=5))
    first = rotation.current("2.0")
    clock.advance(3590)
    assert rotation.current("2.0") is first
    clock.advance(10)
    assert rotation.current("2.0") is not first


def test_the_moment_cannot_be_later_than_ec2_promises(clock: SimulatedClock, issuer: Issuer) -> None:
    with pytest.raises(CloudError, match="at least 5 minutes before they expire, got `0:04:59`"):
        CredentialRotation(clock, issuer, replace_before=timedelta(minutes=4, seconds=59))


def test_credentials_that_are_due_at_once_are_an_error(clock: SimulatedClock) -> None:
    rotation = CredentialRotation(clock, Issuer(clock, timedelta(minutes=5)))
    with pytest.raises(CloudError, match="cannot be replaced `0:05:00` before they expire"):
        rotation.current("2.0")


def test_each_delivery_has_its_own(clock: SimulatedClock, issuer: Issuer) -> None:
    rotation = CredentialRotation(clock, issuer)
    one, two = rotation.current("1.0"), rotation.current("2.0")
    assert (one.access_key_id, two.access_key_id) == ("1.0-0", "2.0-1")
    assert rotation.current("1.0") is one


def test_renewal_drops_those_of_every_delivery(clock: SimulatedClock, issuer: Issuer) -> None:
    rotation = CredentialRotation(clock, issuer)
    held = {rotation.current("1.0"), rotation.current("2.0")}
    rotation.renew()
    assert held.isdisjoint({rotation.current("1.0"), rotation.current("2.0")})


def test_a_broken_trust_leaves_what_is_held_until_it_expires(clock: SimulatedClock, issuer: Issuer) -> None:
    rotation = CredentialRotation(clock, issuer)
    held = rotation.current("2.0")
    issuer.trusted = False
    clock.wait_until(held.expiration - timedelta(minutes=1))
    assert rotation.current("2.0") is held
    clock.wait_until(held.expiration)
    with pytest.raises(RoleNotAssumableError):
        rotation.current("2.0")
    issuer.trusted = True
    assert rotation.current("2.0").expiration > clock.now()


def test_a_broken_trust_leaves_nothing_after_stop_and_start(clock: SimulatedClock, issuer: Issuer) -> None:
    rotation = CredentialRotation(clock, issuer)
    rotation.current("2.0")
    issuer.trusted = False
    rotation.renew()
    with pytest.raises(RoleNotAssumableError):
        rotation.current("2.0")


def test_threads_get_the_same_credentials(clock: SimulatedClock, issuer: Issuer) -> None:
    rotation = CredentialRotation(clock, issuer)
    start = threading.Barrier(8)
    got = []

    def worker() -> None:
        start.wait()
        got.extend(rotation.current("2.0") for _ in range(50))

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 400
    assert set(got) == {rotation.current("2.0")}


def test_two_callers_at_once_cause_one_issue(clock: SimulatedClock, issuer: Issuer) -> None:
    begun, twice = threading.Event(), threading.Event()

    def slow(delivery: str) -> InstanceCredentials:
        if begun.is_set():
            twice.set()
        begun.set()
        twice.wait(0.2)
        return issuer(delivery)

    rotation = CredentialRotation(clock, slow)
    got: list[InstanceCredentials] = []
    threads = [threading.Thread(target=lambda: got.append(rotation.current("2.0"))) for _ in range(2)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join()
    assert not twice.is_set()
    assert got[0] is got[1]


def test_renewal_does_not_wait_for_an_issue_under_way_and_discards_what_it_gives(
    clock: SimulatedClock, issuer: Issuer
) -> None:
    begun, renewed = threading.Event(), threading.Event()
    given_out = []

    def slow(delivery: str) -> InstanceCredentials:
        credentials = issuer(delivery)
        given_out.append(credentials)
        if len(given_out) == 1:
            begun.set()
            assert renewed.wait(10)
        return credentials

    rotation = CredentialRotation(clock, slow)
    got = []
    thread = threading.Thread(target=lambda: got.append(rotation.current("2.0")))
    thread.start()
    assert begun.wait(10)
    rotation.renew()
    renewed.set()
    thread.join(10)
    assert got == [given_out[1]]
    assert rotation.current("2.0") is given_out[1]


steps = st.one_of(
    st.integers(0, 30_000),
    st.sampled_from(["1.0", "2.0", "renew", "break", "repair"]),
)


@given(st.lists(steps, max_size=40))
def test_whatever_happens_nothing_expired_is_served_and_nothing_is_replaced_early(history: list[Any]) -> None:
    clock = SimulatedClock()
    issuer = Issuer(clock)
    rotation = CredentialRotation(clock, issuer)
    held = {}
    for step in history:
        match step:
            case int():
                clock.advance(step)
            case "renew":
                rotation.renew()
                held.clear()
            case "break" | "repair":
                issuer.trusted = step == "repair"
            case delivery:
                before = held.get(delivery)
                valid = before is not None and clock.now() < before.expiration
                try:
                    served = rotation.current(delivery)
                except RoleNotAssumableError:
                    assert not issuer.trusted
                    assert not (valid and clock.now() < before.expiration)
                    continue
                assert clock.now() < served.expiration
                assert served.access_key_id.startswith(delivery)
                left = served.expiration - clock.now()
                if issuer.trusted:
                    assert left > timedelta(minutes=4, seconds=59)
                if before is not None and served is not before:
                    assert before.expiration - clock.now() <= timedelta(minutes=5)
                held[delivery] = served
