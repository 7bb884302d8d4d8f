"""The answer that an act of a scenario waits for: a call is made until it comes out as expected, or it is too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pytest_stsguard.drill.observation import outcome_of
from pytest_stsguard.errors import DrillError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.drill.stage import Stage

__all__ = ["expect_of", "removed", "when_known"]

_UNKNOWN_YET = {"NoSuchEntity", "NoSuchEntityException", "InvalidClientTokenId", "MalformedPolicyDocument"}
_UNKNOWN_KEY = {"InvalidClientTokenId", "UnrecognizedClientException"}
_GONE = {"NoSuchEntity", "NoSuchEntityException"}


def when_known(stage: Stage, call: Callable[[], Any]) -> Any:
    """Call again while what was just made is not known yet everywhere."""
    patience = stage.patience()
    deadline = patience.deadline()
    while True:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _UNKNOWN_YET or patience.over(deadline):
                raise
        stage.ground.before("the same once more")


def expect_of(
    stage: Stage, call: Callable[[], Any], what: str, *, denied: bool, once: bool = False, closed: bool = False
) -> Any:
    """Make a call until it comes out as expected or it is too late; gives its answer, None for a denial.

    An answer that is not the expected one is a failure of the drill, one that is no authorization decision an error. What
    changes something has done so by being allowed `once`: a later denial does not take that back. A key that the drill has
    `closed` is refused as unknown.
    """
    patience = stage.patience()
    deadline = patience.deadline()
    while True:
        answer = None
        try:
            answer = call()
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
            if closed and code in _UNKNOWN_KEY:
                break
            if outcome_of(code, message) != "denied" and (code not in _UNKNOWN_YET or patience.over(deadline)):
                raise DrillError(f"{what} was no authorization decision: {code}: {message}") from None
        if (answer is None) == denied or (once and answer is not None) or patience.over(deadline):
            break
        if answer is not None:
            stage.note("allowed", f"{what}, and tried again: the change may not be seen everywhere yet")
        stage.ground.before(f"{what}, once more")
    stage.note("denied" if answer is None else "allowed", what)
    if (answer is None) != denied:
        stage.fail(f"{what} was {'denied, and allowed' if answer is None else 'allowed, and denied'} was expected")
    return answer


def removed(call: Callable[[], Any]) -> Any:
    """Make a call that removes; what is gone was removed by the same call, whose answer got lost."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        return {}
