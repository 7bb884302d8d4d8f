"""The calls of CloudFormation: what they may be given, in whose name they work, and what is left when they fail."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.answers import answer
from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.forwarded import Forwarded

from . import hook
from .admission import check_change_set, check_stack, check_wish, is_true
from .halt import FailedError, Halt, NotSimulatedError
from .outcome import Before, created, failed_deletion, failed_update, name_events
from .requests import Requests
from .service_role import assumed
from .source import given_template
from .stack_sets import Instances, find_set
from .template import check_references, load_template, unsimulated
from .work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_stsguard.cloud.authentication import Authenticator
    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.passage import Passage
    from pytest_stsguard.cloud.request import Request, Response
    from pytest_stsguard.cloud.sts import TokenService

__all__ = ["Stacks"]

_CHANGES: Final = frozenset({"CreateStack", "DeleteStack", "ExecuteChangeSet", "UpdateStack"})
_TELLING: Final = _CHANGES | {"CreateChangeSet"}
_INSTANCES: Final = frozenset({"CreateStackInstances", "DeleteStackInstances"})
# moto would change its books and not the stacks.
_REFUSED: Final = frozenset(
    {"ContinueUpdateRollback", "ImportStacksToStackSet", "RollbackStack", "UpdateStackInstances", "UpdateStackSet"}
)
_TEMPLATES: Final = frozenset(
    {"CreateChangeSet", "CreateStack", "CreateStackSet", "GetTemplateSummary", "UpdateStack", "ValidateTemplate"}
)
_SERVICE: Final = "cloudformation"
_FAILED: Final = 300


class Stacks:
    """Answers the calls of one cloud."""

    def __init__(
        self,
        *,
        backend: Backend,
        authenticator: Authenticator,
        tokens: TokenService,
        handle: Callable[[Request, Forwarded], Response],
    ) -> None:
        self._backend = backend
        self._authenticator = authenticator
        self._tokens = tokens
        self._requests = Requests(handle)

    @staticmethod
    def close() -> None:
        """Give moto its own way back."""
        hook.uninstall()

    def answer(self, passage: Passage, account: str, dispatch: Callable[[], Response]) -> Response:
        """Answer a call, with moto's help by `dispatch`.

        Raises:
            Fault: the call is refused, by AWS's rules or by name.
        """
        call, caller = passage.call, passage.caller
        assert call is not None  # noqa: S101 - the gate has read both
        assert caller is not None  # noqa: S101
        try:
            hook.install()
        except ImportError as error:
            told = f"CloudFormation without `{error.name}`: install `moto[cloudformation]`"
            raise _not_simulated(told) from error
        except AttributeError as error:
            # The hook would be in none of the places that this moto has: nothing would be judged.
            raise _not_simulated(f"CloudFormation with this version of moto: {error}") from error
        try:
            return dispatch() if hook.is_trusted() else self._answer(passage, call, caller, account, dispatch)
        finally:
            if call.operation in _TELLING:
                name_events(self._backend.service("cloudformation", account=account, region=call.region))

    def _answer(
        self, passage: Passage, call: Call, caller: Caller, account: str, dispatch: Callable[[], Response]
    ) -> Response:
        if call.operation in _REFUSED or call.parameters.get("ChangeSetType") == "IMPORT":
            raise _not_simulated(f"what `{call.operation}` does")
        forwarded = Forwarded(caller, _SERVICE)
        text, read = given_template(call, requests=self._requests, forwarded=forwarded)
        if text is not None and call.operation in _TEMPLATES:
            template = load_template(text)
            if call.operation == "CreateChangeSet":
                check_wish(call, template)
        with hook.asked(read):
            if call.operation in _INSTANCES:
                return self._change_instances(passage, call, account)
            if call.operation in _CHANGES:
                return self._change(passage, account, text, dispatch)
            try:
                return dispatch()
            except Halt as halt:
                raise _not_simulated(str(halt.cause)) from halt

    def _change(
        self,
        passage: Passage,
        account: str,
        text: str | None,
        dispatch: Callable[[], Response],
    ) -> Response:
        call, caller = passage.call, passage.caller
        assert call is not None  # noqa: S101 - as above
        assert caller is not None  # noqa: S101
        service = self._backend.service("cloudformation", account=account, region=call.region)
        change = _change_set(service, call) if call.operation == "ExecuteChangeSet" else None
        stack = change.stack if change is not None else _stack(service, call.parameters.get("StackName"))
        if call.operation == "CreateStack":
            stack = None
        check_stack(call, stack)
        check_change_set(change)
        self._look_through(call, text, stack, change)
        role = self._role(call, stack, change)
        if role is not None:
            caller = self._entered(call, role, account, stack)
        work = self._work(caller, service, stack=stack, retained=call.parameters.get("RetainResources") or ())
        before = Before(service, stack, str(call.parameters.get("StackName")))
        try:
            with hook.working(work):
                response = dispatch()
        except Halt as halt:
            return answer(call, self._halted(call, halt, work, before, change), request_id=passage.request_id)
        except NotImplementedError:
            before.forget(work)
            raise
        if response.status >= _FAILED:
            before.forget(work)
            return response
        if not before.told():
            before.forget(work)
            raise Fault(None, "Template format error: the outputs cannot be resolved", code="ValidationError")
        before.settle(role)
        return response

    def _entered(self, call: Call, role: str, account: str, stack: Any) -> Caller:
        """Assume the service role of a stack."""
        place = f"arn:aws:cloudformation:{call.region}:{account}:stack"
        source = stack.stack_id if stack is not None else f"{place}/{call.parameters.get('StackName')}/{uuid.uuid4()}"
        found = assumed(role, account=account, source=source, tokens=self._tokens, authenticator=self._authenticator)
        if found is None:
            raise Fault(None, f"Role {role} is invalid or cannot be assumed", code="ValidationError")
        return found

    def _work(self, caller: Caller, service: Any, *, stack: Any = None, retained: Iterable[str] = ()) -> Work:
        return Work(
            self._requests,
            Forwarded(caller, _SERVICE),
            stack_of=lambda stack_id: service.stacks.get(stack_id) or stack,
            backend=self._backend,
            retained=frozenset(retained),
        )

    def _change_instances(self, passage: Passage, call: Call, account: str) -> Response:
        """Make or delete the stacks of a stack set."""
        given = call.parameters
        service = self._backend.service("cloudformation", account=account, region=call.region)
        found = find_set(service, given.get("StackSetName"))
        if found is None:
            told = f"StackSet {given.get('StackSetName')} not found"
            raise Fault(None, told, code="StackSetNotFoundException", status=404)
        if found.permission_model != "SELF_MANAGED" or given.get("DeploymentTargets"):
            raise _not_simulated("stack sets with the permissions of an organization")
        administrator = assumed(
            found.administration_role_arn,
            account=account,
            source=found.arn,
            tokens=self._tokens,
            authenticator=self._authenticator,
        )
        if administrator is None:
            name = found.administration_role_arn.rpartition("/")[2]
            told = f"Account {account} should have '{name}' role with trust relationship to CloudFormation service."
            raise Fault(None, told, code="ValidationError")
        instances = Instances(
            found,
            enter=lambda target: self._execution(found, target, administrator, call.region),
            work_of=self._work,
            service_of=lambda target, region: self._backend.service("cloudformation", account=target, region=region),
        )
        try:
            if call.operation == "CreateStackInstances":
                template = load_template(str(found.template))
                unsimulated(template)
                check_references(template)
                operation = instances.create(call)
            else:
                operation = instances.delete(call)
        except NotSimulatedError as error:
            raise _not_simulated(str(error)) from error
        return answer(call, {"OperationId": operation}, request_id=passage.request_id)

    def _execution(self, stack_set: Any, target: str, administrator: Caller, region: str) -> Caller:
        """Assume the execution role of an account, in the name of the administration role."""
        name = stack_set.execution_role_name
        given = {"RoleArn": f"arn:aws:iam::{target}:role/{name}", "RoleSessionName": str(uuid.uuid4())}
        forwarded = Forwarded(administrator, _SERVICE)
        made = self._requests.send("sts", "AssumeRole", given, forwarded=forwarded, region=region)
        session = self._tokens.ledger.session(str((made.output.get("Credentials") or {}).get("AccessKeyId")))
        if made.failed or session is None:
            who = stack_set.administration_role_arn.rpartition("/")[2]
            raise FailedError(f"Account {target} should have '{name}' role with trust relationship to Role '{who}'.")
        return self._authenticator.caller_of(session)

    @staticmethod
    def _look_through(call: Call, text: str | None, stack: Any, change: Any) -> None:
        """Refuse a template of which not all is simulated, before anything of it is made."""
        body = change.template if change is not None else text
        if call.operation == "UpdateStack" and body is None and stack is not None:
            body = stack.template
        if not body:
            return
        template = load_template(str(body))
        try:
            unsimulated(template)
        except NotSimulatedError as error:
            raise _not_simulated(str(error)) from error
        check_references(template)
        if change is None:
            check_wish(call, template)

    @staticmethod
    def _role(call: Call, stack: Any, change: Any) -> str | None:
        """Give the service role that counts: the one that is named now, or the one that the stack has."""
        named = call.parameters.get("RoleARN") or getattr(change, "role_arn", None)
        return str(named or getattr(stack, "role_arn", None) or "") or None

    @staticmethod
    def _halted(call: Call, halt: Halt, work: Work, before: Before, change: Any) -> Mapping[str, Any]:
        """Put things right after a failure, and say what AWS answers: the call was accepted, the stack tells the rest."""
        cause = halt.cause
        if isinstance(cause, NotSimulatedError):
            before.forget(work)
            raise _not_simulated(str(cause)) from cause
        if change is not None:
            change.execution_status = "EXECUTE_FAILED"
        if call.operation == "DeleteStack":
            failed_deletion(before, work)
            return {}
        stack = before.new or before.stack
        if stack is None:
            # It failed before there was a stack: at one of the template's parameters.
            before.forget(work)
            raise Fault(None, str(cause), code="ValidationError")
        if before.stack is None or before.status == "REVIEW_IN_PROGRESS":
            created(before, work, on_failure=_on_failure(call))
        else:
            failed_update(before, work, keep=is_true(call.parameters.get("DisableRollback")))
        return {"StackId": stack.stack_id} if call.operation != "ExecuteChangeSet" else {}


def _on_failure(call: Call) -> str:
    if is_true(call.parameters.get("DisableRollback")):
        return "DO_NOTHING"
    return str(call.parameters.get("OnFailure") or "ROLLBACK")


def _stack(service: Any, name: Any) -> Any:
    """Find a stack that is not deleted, by its name or its id."""
    return next((each for each in list(service.stacks.values()) if name in {each.name, each.stack_id}), None)


def _change_set(service: Any, call: Call) -> Any:
    """Find the change set that moto will take; refuse it when it is another stack's than the one that is named."""
    name, stack = call.parameters.get("ChangeSetName"), call.parameters.get("StackName")
    found = service.change_sets.get(name)
    if found is None:
        named = [each for each in service.change_sets.values() if each.change_set_name == name]
        found = named[-1] if named else None
    if found is None:
        raise Fault(None, f"ChangeSet [{name}] does not exist", code="ChangeSetNotFound", status=404)
    if stack and stack not in {found.stack_name, found.stack_id}:
        raise _not_simulated(f"change sets of two stacks that are both called `{name}`")
    return found


def _not_simulated(what: str) -> Fault:
    # A call that was refused by name has said so already.
    told = what if what.startswith(("moto ", "moto's ", "stsguard ")) else f"stsguard does not simulate {what}"
    return Fault(Refusal.NOT_SIMULATED, told)
