"""The gate: every request, whichever way it came, is authenticated, authorized, answered and recorded here.

::

    Request -> claim -> Call -> Caller -> Permissions -> decision -> STS, or moto -> Response
                                                      └─ denied: the error of the service's protocol
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.answers import answer
from pytest_stsguard.cloud.batches import deletion_of
from pytest_stsguard.cloud.calls import UnknownOperationError, UnparsableRequestError, parse
from pytest_stsguard.cloud.documents import check_documents
from pytest_stsguard.cloud.faults import Fault, Refusal, dialect, render
from pytest_stsguard.cloud.layers import (
    READERS,
    BucketRules,
    EndpointPolicies,
    KeptPolicies,
    UserBoundaries,
    Watch,
    check_region,
    encryption_keys,
)
from pytest_stsguard.cloud.lookup import Lookup
from pytest_stsguard.cloud.metadata_options import attend_options
from pytest_stsguard.cloud.objects import admit_large, check_length
from pytest_stsguard.cloud.passage import Passage, denial, elements, named_account, refusal, service_of
from pytest_stsguard.cloud.permissions import UnmappedOperationError, required
from pytest_stsguard.cloud.post_policy import form_upload
from pytest_stsguard.cloud.principals import Principals
from pytest_stsguard.cloud.screening import Screening
from pytest_stsguard.cloud.signature import claim_of, scoped_service, signature_keys
from pytest_stsguard.cloud.simulator import Simulator
from pytest_stsguard.cloud.stacks import Stacks
from pytest_stsguard.cloud.sts.restrictions import check_kind
from pytest_stsguard.errors import PolicyError
from pytest_stsguard.policy.arns import account_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.authentication import Authenticator
    from pytest_stsguard.cloud.authorization import Authorizer
    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.forwarded import Forwarded
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.layers import Organization, ResourcePolicies
    from pytest_stsguard.cloud.permissions import Permission
    from pytest_stsguard.cloud.request import Request, Response
    from pytest_stsguard.cloud.signature import Claim
    from pytest_stsguard.cloud.state import State
    from pytest_stsguard.cloud.sts import TokenService
    from pytest_stsguard.cloud.trail import Trail

__all__ = ["Gate"]

_FAILED = 300
# Services that take unsigned requests, as far as a resource policy admits everyone.
_OPEN_TO_ANYONE = frozenset({"s3", "sns", "sqs"})
_AWS_POLICY = "arn:aws:iam::aws:policy/"


class Gate:
    """The one way into the simulated cloud; it never asks which door a request came through."""

    def __init__(
        self,
        *,
        backend: Backend,
        state: State,
        authenticator: Authenticator,
        authorizer: Authorizer,
        tokens: TokenService,
        organization: Organization,
        resource_policies: ResourcePolicies,
        trail: Trail,
        clock: Clock,
    ) -> None:
        self._backend = backend
        self._organization = organization
        self._buckets = resource_policies.buckets
        self._bucket_rules = BucketRules(resource_policies.buckets)
        self._watch = Watch(state, organization, resource_policies)
        self.principals = Principals(backend, state)
        self._state = state
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._tokens = tokens
        self._trail = trail
        self._clock = clock
        self._simulator = Simulator(state, organization, clock)
        self.stacks = Stacks(backend=backend, authenticator=authenticator, tokens=tokens, handle=self.handle)
        self._boundaries = UserBoundaries(backend)
        self._kept = KeptPolicies(backend)
        self._endpoints = EndpointPolicies(backend, state, authorizer)
        self._screening = Screening(authorizer, backend, state)
        self.observers: list[Callable[[Call], None]] = []

    def handle(self, request: Request, forwarded: Forwarded | None = None) -> Response:
        """Answer one request; every refusal is a response, and every request leaves an event.

        `forwarded` tells who a request is from that a service of the cloud makes itself.
        """
        passage = Passage(request, forwarded=forwarded)
        code = message = None
        try:
            response = self._admit(passage)
            if passage.form is not None:
                response = passage.form.answer(response)
        except Fault as fault:
            speaks = dialect(
                passage.service,
                passage.call.protocol if passage.call else None,
                request.headers,
            )
            kind = request.headers.get("content-type", "")
            response, code, message = render(
                fault, speaks, request_id=passage.request_id, head=request.method == "HEAD", kind=kind
            )
        finally:
            # A body that was taken out of its chunks or its form has a file of its own.
            for each in (passage.request, passage.form.request if passage.form else request):
                if each.spool is not None and each.spool is not request.spool:
                    each.spool.close()
        self._trail.add(
            passage.event(response, time=self._clock.now(), home=self._backend.account, code=code, message=message)
        )
        return passage.stamped(response)

    def _admit(self, passage: Passage) -> Response:
        if not passage.request.is_addressed:
            raise Fault(Refusal.UNREADABLE, "the address cannot be read")
        claim = self._claim(passage)
        request = passage.request = admit_large(passage.request, claim)
        unread: UnknownOperationError | UnparsableRequestError | None = None
        try:
            passage.call = parse(
                request, signing_name=claim.service if claim else None, region=claim.region if claim else None
            )
        except (UnknownOperationError, UnparsableRequestError) as error:
            unread = error
        forwarded = passage.forwarded
        passage.caller = forwarded.caller if forwarded else self._authenticator.authenticate(request, claim)
        if isinstance(unread, UnparsableRequestError):
            raise Fault(Refusal.UNREADABLE, str(unread)) from unread
        if unread is not None or passage.call is None:
            raise Fault(Refusal.NOT_SIMULATED, f"stsguard does not simulate this: {unread}") from unread
        check_kind(passage.caller, passage.call)
        if passage.call.service == "s3":
            self._unwrap(passage)
        surroundings = self._surroundings(passage, passage.call, request)
        if passage.call.service == "sts":
            return self._token_service(passage, surroundings)
        self._authorize(passage, surroundings)
        return self._perform(passage, surroundings)

    def _claim(self, passage: Passage) -> Claim | None:
        """Read who claims to have signed; what cannot be read is refused in the words of the service that is asked."""
        if passage.forwarded is not None:
            # A service's own request says for whom it is, and needs no signature.
            return None
        try:
            passage.form = form = form_upload(passage.request)
        except Fault:
            passage.asked = "s3"
            raise
        if form is not None:
            passage.request, passage.claim = form.request, form.claim
            return form.claim
        try:
            passage.claim = claim_of(passage.request)
        except Fault:
            passage.asked = scoped_service(passage.request)
            with suppress(UnknownOperationError, UnparsableRequestError):
                passage.call = parse(passage.request, signing_name=passage.asked, region=None)
            raise
        return passage.claim

    def _surroundings(self, passage: Passage, call: Call, request: Request) -> dict[str, str | list[str]]:
        """Give the condition keys that the request has whatever it asks for."""
        keys = self._authorizer.surroundings(request, region=call.region)
        if passage.forwarded is not None:
            keys |= passage.forwarded.keys()
        if call.service == "s3" and passage.claim is not None:
            keys |= signature_keys(request, passage.claim)
        if call.service == "kms":
            keys |= encryption_keys(call)
        return keys

    def _unwrap(self, passage: Passage) -> None:
        """Check what S3 checks of a body, and take it out of its chunks."""
        assert passage.call is not None  # noqa: S101 - as below
        if passage.forwarded is None:
            check_region(self._buckets, passage.call, passage.request, passage.claim)
        check_length(passage.request, passage.call)
        if passage.form is not None:
            passage.form.check()
        passage.request = self._authenticator.unwrap(passage.request, passage.claim)

    def _token_service(self, passage: Passage, surroundings: Mapping[str, str | list[str]]) -> Response:
        assert passage.call is not None  # noqa: S101 - _admit has read both
        assert passage.caller is not None  # noqa: S101
        try:
            result = self._tokens.perform(
                passage.caller, passage.call, surroundings, record=passage, host=passage.request.host
            )
        except PolicyError as error:
            raise Fault(
                Refusal.NOT_SIMULATED, f"stsguard cannot decide `sts:{passage.call.operation}`: {error}"
            ) from error
        passage.elements = elements(result)
        return answer(passage.call, result, request_id=passage.request_id)

    def _authorize(self, passage: Passage, surroundings: Mapping[str, str | list[str]]) -> None:
        """Ask for every permission that the call needs; the first that is missing refuses it."""
        call, caller = passage.call, passage.caller
        assert call is not None  # noqa: S101 - as above
        assert caller is not None  # noqa: S101
        if caller.is_anonymous and call.service not in _OPEN_TO_ANYONE:
            raise Fault(Refusal.UNSIGNED)
        try:
            account = caller.account or self._backend.account
            lookup = Lookup(self._backend, self._state, account)
            passage.needed = required(
                call,
                account=named_account(call) or account,
                state=lookup,
                caller_name=caller.name if caller.kind == "user" else None,
            )
            self._endpoints.check(caller, passage.needed, surroundings, region=call.region)
            passage.batch = batch = deletion_of(call)
            for position, permission in batch.positions(passage.needed) if batch else enumerate(passage.needed):
                decision = self._authorizer.decide(caller, permission, surroundings)
                passage.decisions.append(decision)
                if not decision.allowed:
                    asked = self._authorizer.question(caller, permission, surroundings)
                    words = denial(caller, permission, decision, call, organizations=asked.context)
                    if batch is not None:
                        batch.deny(position, words)
                        continue
                    if call.protocol == "ec2":
                        keys = {**surroundings, **caller.context, **permission.context}
                        encoded = self._tokens.messages.encode(caller, permission, decision, keys)
                        words += f". Encoded authorization failure message: {encoded}"
                    raise refusal(permission, words)
        except UnmappedOperationError as error:
            raise Fault(
                Refusal.NOT_SIMULATED, f"stsguard does not simulate `{call.service}:{call.operation}` yet"
            ) from error
        except PolicyError as error:
            raise Fault(
                Refusal.NOT_SIMULATED, f"stsguard cannot decide `{call.service}:{call.operation}`: {error}"
            ) from error
        except ImportError as error:
            text = f"moto's {call.service} needs `{error.name}`: install `moto[{call.service}]`"
            raise Fault(Refusal.NOT_SIMULATED, text) from error

    def _perform(self, passage: Passage, surroundings: Mapping[str, str | list[str]]) -> Response:
        call, caller = passage.call, passage.caller
        assert call is not None  # noqa: S101 - as above
        assert caller is not None  # noqa: S101
        check_documents(call)
        simulated = self._simulator.answer(call)
        if simulated is not None:
            return answer(call, simulated, request_id=passage.request_id)
        account = self._account_of(call, caller, passage.needed)
        self._backend.seed(call.service)
        if call.service == "iam":
            self._provide_policies(call, account)
        ours = self._tokens.outbound.answer(call, account)
        if ours is not None:
            return answer(call, ours, request_id=passage.request_id)
        self._tokens.devices.check_call(call, account)
        settlements = [
            attend_options(call, self._backend, account, request_id=passage.request_id),
            self.principals.attend(call, account),
            self._boundaries.attend(call, account),
            self._kept.attend(call, account),
            self._organization.attend(call, account),
            self._bucket_rules.attend(call, caller),
            self._watch.attend(call, account, passage.needed),
            self._screening.attend(call, caller, surroundings),
        ]
        try:
            response = self._dispatch(passage, call, account)
        except NotImplementedError as error:
            text = f"moto does not implement `{call.service}:{call.operation}`: {error}"
            raise Fault(Refusal.NOT_SIMULATED, text) from error
        for settle in settlements:
            response = settle(response)
        if response.status < _FAILED:
            for observer in self.observers:
                observer(call)
        return response

    def _dispatch(self, passage: Passage, call: Call, account: str) -> Response:
        if call.service == "cloudformation":
            return self.stacks.answer(
                passage, account, lambda: self._backend.dispatch(passage.request, call, account=account)
            )
        ours = self._boundaries.answer(call, account)
        if ours is not None:
            return answer(call, ours, request_id=passage.request_id)
        batch = passage.batch
        if batch is None or batch.untouched or self._is_missing(str(call.parameters.get("Bucket"))):
            return self._backend.dispatch(passage.request, call, account=account)
        if batch.refused:
            return batch.answer(None)
        return batch.answer(self._backend.dispatch(batch.reduced(passage.request), call, account=account))

    def _is_missing(self, bucket: str) -> bool:
        """Tell whether a bucket, which may be named by an access point, does not exist."""
        return not bucket.startswith("arn:") and self._state.bucket_owner(bucket) is None

    def _account_of(self, call: Call, caller: Caller, needed: tuple[Permission, ...]) -> str:
        """The account in which a call acts: the owner's of what it is about, where accounts may share it, else the caller's."""
        home = caller.account or self._backend.account
        if call.service == "s3":
            bucket = call.parameters.get("Bucket") if call.operation != "CreateBucket" else None
            if isinstance(bucket, str) and bucket.startswith("arn:"):
                return account_of(bucket) or home
            return (self._state.bucket_owner(bucket) if isinstance(bucket, str) else None) or home
        arn = needed[0].resource if needed else "*"
        return (account_of(arn) or home) if service_of(arn) in READERS else home

    def _provide_policies(self, call: Call, account: str) -> None:
        for name in ("PolicyArn", "PermissionsBoundary"):
            arn = call.parameters.get(name)
            if isinstance(arn, str) and arn.startswith(_AWS_POLICY):
                self._backend.provide_managed_policy(arn, account=account)
        if call.operation == "ListPolicies" and call.parameters.get("Scope", "All") != "Local":
            self._backend.provide_all_managed_policies(account=account)
