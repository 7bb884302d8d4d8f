"""Users' permissions boundaries, which moto does not keep: it takes CreateUser's and forgets it, and has no call to set one.

See CreateUser, PutUserPermissionsBoundary and DeleteUserPermissionsBoundary in the IAM API Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.request import Response, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call

__all__ = ["UserBoundaries"]

_FAILED: Final = 300
_SETTING: Final = frozenset({"DeleteUserPermissionsBoundary", "PutUserPermissionsBoundary"})
_SHOWING: Final = frozenset({"GetAccountAuthorizationDetails", "GetUser"})


class UserBoundaries:
    """Sets, takes away and shows the boundary that `State` reads of a user."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def answer(self, call: Call, account: str) -> dict[str, Any] | None:
        """Carry out the two calls that moto lacks; None for any other call.

        Raises:
            Fault: there is no such user, or no such policy.
        """
        if call.service != "iam" or call.operation not in _SETTING:
            return None
        name = str(call.parameters.get("UserName", ""))
        user = self._users(account).get(name)
        if user is None:
            raise Fault(None, f"The user with name {name} cannot be found.", code="NoSuchEntity", status=404)
        if call.operation == "PutUserPermissionsBoundary":
            user.permissions_boundary_arn = self._existing(call, account)
        else:
            user.permissions_boundary_arn = None
        return {}

    def attend(self, call: Call, account: str) -> Callable[[Response], Response]:
        """Look at a call before moto answers it; what is given back looks at the answer."""
        if call.service != "iam":
            return unchanged
        if call.operation == "CreateUser" and call.parameters.get("PermissionsBoundary"):
            boundary = self._existing(call, account)
            return lambda response: self._bound(response, account, str(call.parameters.get("UserName", "")), boundary)
        if call.operation in _SHOWING:
            return self._shown(account)
        return unchanged

    def _bound(self, response: Response, account: str, name: str, boundary: str) -> Response:
        user = self._users(account).get(name)
        if response.status >= _FAILED or user is None:
            return response
        user.permissions_boundary_arn = boundary
        told = (
            "<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
            f"<PermissionsBoundaryArn>{boundary}</PermissionsBoundaryArn></PermissionsBoundary></User>"
        )
        body = response.body.replace(b"</User>", told.encode(), 1)
        headers = {key: value for key, value in response.headers.items() if key.lower() != "content-length"}
        return Response(response.status, headers, body, response.view)

    def _shown(self, account: str) -> Callable[[Response], Response]:
        """Let moto tell the boundaries in this answer alone: lists of users leave them out."""
        bound = [
            each for each in list(self._users(account).values()) if getattr(each, "permissions_boundary_arn", None)
        ]
        for user in bound:
            arn = user.permissions_boundary_arn
            user.permissions_boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}

        def hide(response: Response) -> Response:
            for user in bound:
                user.__dict__.pop("permissions_boundary", None)
            return response

        return hide

    def _existing(self, call: Call, account: str) -> str:
        """Give the ARN of the policy that is to be the boundary, which must exist."""
        arn = str(call.parameters.get("PermissionsBoundary", ""))
        if arn not in self._backend.service("iam", account=account).managed_policies:
            told = f"Scope ARN: {arn} does not exist or is not attachable."
            raise Fault(None, told, code="NoSuchEntity", status=404)
        return arn

    def _users(self, account: str) -> Any:
        return self._backend.service("iam", account=account).users
