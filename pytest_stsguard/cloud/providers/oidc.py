"""An OIDC provider on loopback: a discovery document, keys, and tokens signed with them.

See "OpenID Connect Discovery 1.0" and RFC 7519.
"""

from __future__ import annotations

import json
import threading
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from pytest_stsguard.cloud.metadata.message import Answer
from pytest_stsguard.cloud.metadata.server import LoopbackServer
from pytest_stsguard.cloud.providers.shapes import SHAPES, Shape
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.metadata.message import Request

__all__ = ["OidcProvider"]

_HEADERS = {"Content-Type": "application/json"}


class Directory(Protocol):
    """Where STS looks for an issuer's address."""

    def announce(self, issuer: str, home: str) -> None:
        """Say that what `issuer` publishes is found at `home`, a URL on loopback."""

    def withdraw(self, issuer: str) -> None:
        """Forget an issuer."""


class OidcProvider:
    """Serves one issuer from its construction until `close`; its tokens live by `clock`.

    `issuer` is what tokens name, `url` where the documents really are. STS finds the way through `issuers`.

    Raises:
        ConfigurationError: an unknown `shape`, or an issuer that is no https URL.
    """

    def __init__(
        self,
        clock: Clock,
        issuers: Directory,
        *,
        shape: str = "plain",
        issuer: str | None = None,
        audience: str | None = None,
        algorithm: str | None = None,
    ) -> None:
        if shape not in SHAPES:
            raise ConfigurationError(f"unknown shape `{shape}`", hint=f"there are: {', '.join(SHAPES)}")
        self.shape: Shape = SHAPES[shape]
        self.issuer = issuer or self.shape.issuer
        if not self.issuer.startswith("https://"):
            raise ConfigurationError(f"`{self.issuer}` is no issuer", hint="IAM takes issuers that begin with https://")
        self.audience = audience or self.shape.audience
        self.algorithm = algorithm or self.shape.algorithm
        self.arn = ""
        self._clock = clock
        self._issuers = issuers
        self._keys = [(self.algorithm, _new_key(self.algorithm))]
        self._lock = threading.Lock()
        self._server = LoopbackServer(self._answer, keep_alive=False)
        self.url = self._server.url
        issuers.announce(self.issuer, self.url)

    @property
    def name(self) -> str:
        """The issuer as condition keys and ARNs name it: without ``https://``."""
        return self.issuer.removeprefix("https://").rstrip("/")

    def register(self, iam: Any) -> str:
        """Make the IAM identity provider of this issuer through a boto3 client of IAM; gives its ARN."""
        answer = iam.create_open_id_connect_provider(
            Url=self.issuer, ClientIDList=[self.audience], ThumbprintList=["0" * 40]
        )
        self.arn = str(answer["OpenIDConnectProviderArn"])
        return self.arn

    def token(
        self,
        *,
        algorithm: str | None = None,
        key: Any = None,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Sign a token. `claims` are facts of the shape (``repository`` ...) or claims, a claim of None is left out.

        `algorithm` is the provider's own by default; `key` and `header` make tokens that STS must refuse.
        """
        from joserfc import jws  # noqa: PLC0415 - only who signs pays for it

        now = int(self._clock.now().timestamp())
        facts = {**self.shape.facts, **claims}
        content = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "nbf": now,
            "exp": now + self.shape.lifetime,
            "jti": str(uuid.uuid4()),
            **self.shape.claims(facts),
        }
        content = {name: value for name, value in content.items() if value is not None}
        algorithm = algorithm or self.algorithm
        current = self._key(algorithm)
        protected = {"alg": algorithm, "kid": current.kid, "typ": "JWT", **(header or {})}
        algorithms = [str(protected["alg"])]
        return str(jws.serialize_compact(protected, json.dumps(content), key or current, algorithms=algorithms))

    def rotate(self, *, keep: bool = True) -> None:
        """Sign with a new key from now on; without `keep` the old ones are no longer published."""
        with self._lock:
            self._keys = [*(self._keys if keep else ()), (self.algorithm, _new_key(self.algorithm))]

    def public_keys(self) -> list[dict[str, Any]]:
        """The keys as they are published."""
        with self._lock:
            keys = list(self._keys)
        return [{**key.as_dict(private=False), "use": "sig", "alg": algorithm} for algorithm, key in keys]

    def close(self) -> None:
        """Stop serving; STS can no longer reach the issuer."""
        self._issuers.withdraw(self.issuer)
        self._server.close()

    def _key(self, algorithm: str) -> Any:
        """Give the newest key of an algorithm, a new one when there is none."""
        with self._lock:
            found = [key for name, key in self._keys if name == algorithm]
            if not found:
                found.append(_new_key(algorithm))
                self._keys.insert(0, (algorithm, found[0]))
            return found[-1]

    def _answer(self, request: Request) -> Answer:
        path = request.target.partition("?")[0]
        if path == "/.well-known/openid-configuration":
            return _json(
                {
                    "issuer": self.issuer,
                    "jwks_uri": self.issuer.rstrip("/") + self.shape.jwks_path,
                    "response_types_supported": ["id_token"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": [self.algorithm],
                    "claims_supported": ["sub", "aud", "exp", "iat", "iss", "jti", "nbf"],
                }
            )
        if path == self.shape.jwks_path:
            return _json({"keys": self.public_keys()})
        return Answer(404, _HEADERS, b"{}")


def _new_key(algorithm: str) -> Any:
    from joserfc.jwk import ECKey, RSAKey  # noqa: PLC0415 - only who signs pays for it

    named: Any = {"kid": uuid.uuid4().hex}
    if algorithm.startswith("ES"):
        return ECKey.generate_key({"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm], named)
    return RSAKey.generate_key(2048, named)


def _json(content: dict[str, Any]) -> Answer:
    return Answer(200, _HEADERS, json.dumps(content).encode())
