"""What a test asserts: that stolen credentials are denied, and that fresh ones work.

A change in IAM is not seen everywhere at once. On AWS, and in a simulated cloud with delayed consistency, the assertions
wait for the answer that is expected, up to a deadline: `within` seconds, by default a minute. In a simulated cloud whose
changes are seen at once the default is 0. A denial is believed when it came `in_a_row` times in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from pytest_stsguard.cloud import Credentials

__all__ = ["assert_allowed", "assert_contained", "assert_denied"]


def assert_denied(
    credentials: Credentials,
    *probes: str | Callable[[boto3.Session], Any],
    within: float | None = None,
    in_a_row: int = 3,
) -> None:
    """Assert that every probe is denied to `credentials` by an authorization decision.

    A probe is a callable that takes a boto3 session, or a call by name such as ``"s3.list_buckets"``; with none given a
    shipped read-only set over several services and protocols is made. An expired session, a bad signature, a throttle or
    a dead network fails the assertion: none of them is containment.

    Args:
        credentials: whose calls.
        probes: the calls.
        within: seconds until which all must be denied; default: 60 on AWS, 0 in a simulated cloud without delays.
        in_a_row: how many denials in a row of each.
    """
    from pytest_stsguard.drill import check_denied

    __tracebackhide__ = True
    check_denied(credentials, *probes, within=within, in_a_row=in_a_row)


def assert_allowed(
    credentials: Credentials,
    *probes: str | Callable[[boto3.Session], Any],
    within: float | None = None,
    in_a_row: int = 1,
) -> None:
    """Assert that every probe is allowed to `credentials`.

    With no probe given the shipped set is made, of which a role need not have every permission: one call at least must be
    allowed, and none denied explicitly.

    Args:
        credentials: whose calls.
        probes: the calls.
        within: seconds until which all must be allowed; default: 60 on AWS, 0 in a simulated cloud without delays.
        in_a_row: how many successes in a row of each; a probe that changes something should be made once.
    """
    from pytest_stsguard.drill import check_allowed

    __tracebackhide__ = True
    check_allowed(credentials, *probes, within=within, in_a_row=in_a_row)


def assert_contained(
    *,
    stolen: Credentials,
    fresh: Credentials,
    probes: tuple[str | Callable[[boto3.Session], Any], ...] = (),
    within: float | None = None,
    in_a_row: int = 3,
) -> None:
    """Assert that the stolen session is dead and that the workload lives: `stolen` is denied what `fresh` may do.

    Only a call that is allowed to `fresh` proves something when it is denied to `stolen`; with no probes given, the
    shipped ones that `fresh` may make are used. `within` and `in_a_row` are those of `assert_denied`.
    """
    from pytest_stsguard.drill import READ_ONLY, check_allowed, check_denied

    __tracebackhide__ = True
    alive = check_allowed(fresh, *probes, who="fresh session", within=within)
    proven = [probe for probe, seen in zip(probes or READ_ONLY, alive, strict=True) if seen.outcome == "allowed"]
    check_denied(stolen, *proven, who="stolen session", within=within, in_a_row=in_a_row)
