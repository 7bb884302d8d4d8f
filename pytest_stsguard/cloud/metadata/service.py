"""The rules of the instance metadata service: who gets an answer, and with which status."""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.metadata.categories import VERSIONS, categories
from pytest_stsguard.cloud.metadata.message import Answer, error_page
from pytest_stsguard.cloud.metadata.tokens import SessionTokens
from pytest_stsguard.cloud.metadata.tree import find

if TYPE_CHECKING:
    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.metadata.instance import Host, MetadataOptions
    from pytest_stsguard.cloud.metadata.message import Request

__all__ = ["MetadataService"]

TOKEN_PATH = ("latest", "api", "token")
TOKEN_HEADER = "x-aws-ec2-metadata-token"  # noqa: S105 - a header's name, no secret
TTL_HEADER = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"


class MetadataService:
    """The metadata service of one instance, for callers that are `hops` network hops away from it.

    A process on the instance is one hop away, a container behind a bridge two. `tokens` lets two services of the same
    instance accept each other's session tokens.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
    """

    def __init__(self, instance: Host, clock: Clock, *, hops: int = 1, tokens: SessionTokens | None = None) -> None:
        self.instance = instance
        self.clock = clock
        self.hops = hops
        self.tokens = tokens or SessionTokens(clock)

    def answer(self, request: Request) -> Answer | None:
        """Give the answer to `request`; None when none reaches the caller.

        That is so for a stopped instance, and for a PUT from farther away than the hop limit: on EC2 the caller waits in
        vain, here the connection is closed.
        """
        if not self.instance.running():
            return None
        options = self.instance.options()
        if request.method == "PUT" and self.hops > options.http_put_response_hop_limit:
            return None
        return self._respond(request, options)

    def _respond(self, request: Request, options: MetadataOptions) -> Answer:
        path = request.path()
        if options.http_endpoint == "disabled":
            return error_page(403)
        if path is None:
            return error_page(400)
        if request.method == "PUT":
            return self._put(path, request)
        if request.method not in {"GET", "HEAD"} or path == TOKEN_PATH:
            return error_page(405, {"Allow": "PUT" if path == TOKEN_PATH else "GET, HEAD"})
        return self._get(path, request, options)

    def _put(self, path: tuple[str, ...], request: Request) -> Answer:
        # AWS documents 403 for a PUT to any path of a dated version: tokens are made under `latest` alone.
        if path and path[0] in VERSIONS:
            return error_page(403)
        if path != TOKEN_PATH:
            return error_page(405, {"Allow": "GET, HEAD"})
        # A proxy or a web application firewall adds this header: the caller is not on the instance.
        if "x-forwarded-for" in request.headers:
            return error_page(403)
        ttl = SessionTokens.lifetime(request.headers.get(TTL_HEADER.lower()))
        if ttl is None:
            return error_page(400)
        headers = {TTL_HEADER: str(ttl), "Content-Type": "text/plain", "Server": "EC2ws"}
        return Answer(200, headers, self.tokens.issue(ttl).encode())

    def _get(self, path: tuple[str, ...], request: Request, options: MetadataOptions) -> Answer:
        headers: dict[str, str] = {}
        token = request.headers.get(TOKEN_HEADER)
        if token is None:
            if options.http_tokens == "required":
                return UNAUTHORIZED
        else:
            # A token that is sent has to be good, even where none is needed.
            left = self.tokens.remaining(token)
            if left is None:
                return UNAUTHORIZED
            headers[TTL_HEADER] = str(left)
        facts = self.instance.facts()
        tree = categories(
            self.instance,
            facts,
            delivery="1.0" if token is None else "2.0",
            tags=options.instance_metadata_tags == "enabled",
            clock=self.clock,
        )
        document = find(tree, path)
        if document is None:
            return error_page(404, headers)
        headers |= {
            "Content-Type": document.content_type,
            "Accept-Ranges": "none",
            "Last-Modified": format_datetime((document.modified or facts.pending_time).astimezone(UTC), usegmt=True),
            "Server": "EC2ws",
        }
        return Answer(200, headers, document.body)


# EC2 sends this one without a page.
UNAUTHORIZED = Answer(401, {"Content-Type": "text/plain", "Server": "EC2ws"})
