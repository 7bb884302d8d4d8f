"""moto, held for as long as the cloud is open: the services behind the gate, unchanged."""

from __future__ import annotations

import json
import os
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pytest_stsguard.cloud import images, objects
from pytest_stsguard.cloud.calls.catalogue import catalogue
from pytest_stsguard.cloud.moto_gaps import is_mistaken
from pytest_stsguard.cloud.request import Headers, Request, Response
from pytest_stsguard.cloud.spool import View
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.cloud.calls import Call

__all__ = ["Backend"]

_AWS_MANAGED = ":iam::aws:policy/"
# moto keeps these by partition instead of by region.
_GLOBAL = frozenset({"cloudfront", "iam", "organizations", "route53", "s3", "s3control", "sts"})


class Backend:
    """moto's state for the accounts of one cloud.

    `seeds` fill a service of the home account the first time that something reaches for it, since importing and filling
    all of moto at once would cost each test a second.
    """

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        self.seeds: dict[str, Callable[[Backend], None]] = {}
        self._mock: Any = None
        self._others: frozenset[str] = frozenset()
        self._seed_lock = threading.RLock()
        self._planting = 0

    def open(self) -> None:
        """Start moto's mock, or join the one that runs."""
        if "MOTO_ACCOUNT_ID" in os.environ:
            raise CloudError(
                "the environment sets `MOTO_ACCOUNT_ID`, which overrules the accounts of the simulated cloud",
                hint="unset it, and name the account with the marker stsguard_cloud(account=...)",
            )
        from moto import mock_aws  # noqa: PLC0415 - moto is imported when a cloud opens, never with the plugin

        self._mock = mock_aws()
        self._mock.start()
        # moto puts dummy credentials into the environment, which is the test's own. Its setting against that would also
        # hold for a `mock_aws` of the test's, so they are taken out again instead.
        self._mock._unmock_env_variables()  # noqa: SLF001 - as said
        self._mock._orig_creds.clear()  # noqa: SLF001 - as said
        self._others = frozenset(_accounts())
        if self.account in self._others:
            self._mock.stop(remove_data=False)
            raise CloudError(
                f"moto already holds state of account `{self.account}`",
                hint="give the cloud an account of its own with the marker stsguard_cloud(account=...)",
            )

    def close(self) -> None:
        """Forget every account that came with this cloud and let go of moto's mock."""
        from moto.core.base_backend import BackendDict, BaseBackend  # noqa: PLC0415 - as above

        for service in list(BackendDict._instances):  # noqa: SLF001 - moto offers no way to forget one account
            for account in set(service) - self._others:
                for backend in service[account].values():
                    # A reset fills the service anew (a quarter of a second of images in EC2): only where it ends something.
                    if type(backend).reset is not BaseBackend.reset:
                        backend.reset()
                del service[account]
                # Organizations keeps a second book, which no reset reaches: of members, by their management account.
                members = getattr(service, "master_accounts", {})
                for member in [one for one, (master, _) in members.items() if account in {one, master}]:
                    del members[member]
        self._mock.stop()
        objects.uninstall()
        images.uninstall()

    def owns(self, account: str) -> bool:
        """Whether an account of moto's came with this cloud."""
        return account not in self._others

    @property
    def shared(self) -> bool:
        """Whether the test's own `mock_aws` is active beside the cloud's."""
        from moto.core.models import MockAWS  # noqa: PLC0415 - as above

        return bool(MockAWS._nested_count > 1)  # noqa: SLF001 - moto offers no other way to ask

    def dispatch(self, request: Request, call: Call, *, account: str) -> Response:
        """Let moto answer `request`, which asks for `call`, on behalf of `account`."""
        from botocore.awsrequest import AWSPreparedRequest  # noqa: PLC0415 - as above
        from botocore.compat import HTTPHeaders  # noqa: PLC0415
        from moto.core.botocore_stubber import BotocoreStubber  # noqa: PLC0415
        from moto.core.models import botocore_stubber  # noqa: PLC0415

        if is_mistaken(call):
            raise NotImplementedError(call.operation)
        if call.service == "s3":
            objects.install()
            self._silence_bucket(call.parameters.get("Bucket"), account)
        elif call.service == "ec2":
            images.install()
        url = aws_url(request, call)
        headers = HTTPHeaders()
        for name, value in {**request.headers, "host": urlsplit(url).netloc, "x-moto-account-id": account}.items():
            headers[name] = value
        if request.spool is not None:
            headers.replace_header("content-length", "0")
        prepared = AWSPreparedRequest(request.method, url, headers, request.body, stream_output=False)
        try:
            with objects.transfer(request, call):
                answer = BotocoreStubber.process_request(botocore_stubber, prepared)
        except Exception as error:  # moto's own faults of every kind end here: it cannot answer this call
            raise NotImplementedError(f"{type(error).__name__} in moto: {error}") from error
        if answer is None:
            raise NotImplementedError(f"moto has no service behind `{url}`")
        status, answered, body = answer
        if isinstance(body, View):
            return Response(status, _plain(answered), b"", body)
        return Response(status, _plain(answered), body.encode() if isinstance(body, str) else bytes(body or b""))

    def _silence_bucket(self, name: object, account: str) -> None:
        """Keep moto from judging a bucket policy itself: it reads no conditions, and would deny what the gate allowed."""
        bucket = self.service("s3", account=account).buckets.get(name)
        if bucket is not None and account not in self._others and "get_permission" not in vars(bucket):
            from moto.iam.access_control import PermissionResult  # noqa: PLC0415 - as above

            bucket.get_permission = lambda *_: PermissionResult.PERMITTED

    def service(self, name: str, *, account: str | None = None, region: str | None = None) -> Any:
        """Give moto's backend of a service, seeded: global services by partition, others by region."""
        if name == "ec2":
            images.install()
        self.seed(name)
        place = "aws" if name in _GLOBAL else region or self.region
        return _book(name)[account or self.account][place]

    def seed(self, service: str) -> None:
        """Fill `service` with what the world holds of it, once."""
        if service not in self.seeds and not self._planting:
            return
        # Whoever comes while something is planted waits for it: half a world is none.
        with self._seed_lock:
            plant = self.seeds.pop(service, None)
            if plant is None:
                return
            self._planting += 1
            try:
                plant(self)
            finally:
                self._planting -= 1

    def provide_managed_policy(self, arn: str, *, account: str) -> None:
        """Let moto know one of AWS's own managed policies, which it leaves out by default, by its ARN."""
        iam = self.service("iam", account=account)
        if _AWS_MANAGED not in arn or arn in iam.managed_policies:
            return
        from moto.iam.models import AWSManagedPolicy  # noqa: PLC0415 - as above

        name = arn.rpartition("/")[2]
        data = _aws_managed_policies().get(name)
        if data is not None:
            policy = AWSManagedPolicy.from_data(name, account, self.region, data)
            iam.managed_policies[policy.arn] = policy

    def provide_all_managed_policies(self, *, account: str) -> None:
        """Let moto know all of AWS's managed policies, for a caller that lists them."""
        for name, data in _aws_managed_policies().items():
            path = data.get("Path") or "/"
            self.provide_managed_policy(f"arn:aws{_AWS_MANAGED}{path.lstrip('/')}{name}", account=account)


@lru_cache(maxsize=512)
def _book(name: str) -> Any:
    """Give moto's book of a service: moto looks for the module each time, and the gate asks many times a call."""
    from moto.backends import get_backend  # noqa: PLC0415 - moto is imported when a cloud opens

    return get_backend(name)


def aws_url(request: Request, call: Call) -> str:
    """Give the URL that the request would have had on AWS, by which moto finds the service.

    A request to the server on loopback bears the server's own address; S3's bucket is then put into the path.
    """
    parts = request.split
    if parts.netloc.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return request.url
    path = parts.path or "/"
    bucket = call.parameters.get("Bucket") if call.service == "s3" else None
    if isinstance(bucket, str) and not parts.netloc.startswith("127.") and parts.netloc.startswith(f"{bucket}."):
        path = f"/{bucket}{path}"
    hostname = _hostname(call.service, call.region)
    if call.service == "s3control":
        # The account stands in front of its host, and moto knows it by that.
        hostname = f"{request.headers.get('x-amz-account-id', '000000000000')}.{hostname}"
    return urlunsplit(("https", hostname, path, parts.query, ""))


@lru_cache(maxsize=512)
def _hostname(service: str, region: str) -> str:
    from botocore.loaders import Loader  # noqa: PLC0415 - moto is imported when a cloud opens, botocore with it
    from botocore.regions import EndpointResolver  # noqa: PLC0415

    # The table goes by the names in front of the hosts: `monitoring`, where boto3 says `cloudwatch`.
    prefix = catalogue().by_name[service].endpoint_prefix
    endpoint = EndpointResolver(Loader().load_data("endpoints")).construct_endpoint(prefix, region)
    return str(endpoint["hostname"]) if endpoint else f"{prefix}.{region}.amazonaws.com"


def _accounts() -> set[str]:
    from moto.core.base_backend import BackendDict  # noqa: PLC0415 - as above

    return {account for service in BackendDict._instances for account in list(service)}  # noqa: SLF001 - as above


@lru_cache(maxsize=1)
def _aws_managed_policies() -> dict[str, dict[str, Any]]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415 - five megabytes, seldom asked

    policies: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return policies


def _plain(headers: Mapping[str, Any]) -> Headers:
    return Headers.of((str(name), str(value)) for name, value in headers.items())
