"""A SAML identity provider: a key, a certificate, metadata, and signed responses for AssumeRoleWithSAML.

Needs the extra `saml`. See "Configure SAML assertions for the authentication response" in the IAM User Guide.
"""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

from pytest_stsguard.clock import isoformat
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_stsguard.clock import Clock

__all__ = ["SamlProvider"]

_ATTRIBUTES: Final = "https://aws.amazon.com/SAML/Attributes/"
_SIGN_IN: Final = "https://signin.aws.amazon.com/saml"
_FORMAT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
_STATUS: Final = "urn:oasis:names:tc:SAML:2.0:status:"
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"


class SamlProvider:
    """Signs responses that live by `clock`; `metadata` is what CreateSAMLProvider takes.

    Raises:
        ConfigurationError: the extra `saml` is not installed.
    """

    def __init__(self, clock: Clock, *, name: str = "stsguard", entity_id: str | None = None) -> None:
        try:
            import signxml  # noqa: F401, PLC0415 - the extra `saml`
        except ImportError as error:
            hint = "pip install 'pytest-stsguard[saml]'"
            raise ConfigurationError("a SAML provider needs the extra `saml`", hint=hint) from error
        self.name = name
        self.entity_id = entity_id or f"https://idp.example.com/saml/{name}"
        self.arn = ""
        self._clock = clock
        self._key, self.certificate = _new_key(self.entity_id)

    @property
    def metadata(self) -> str:
        """The metadata document, with the certificate in it."""
        inner = "".join(self.certificate.splitlines()[1:-1])
        key = f'<ds:KeyInfo xmlns:ds="{_DSIG}"><ds:X509Data><ds:X509Certificate>{inner}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>'
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID={quoteattr(self.entity_id)}>'
            '<md:IDPSSODescriptor WantAuthnRequestsSigned="false"'
            ' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
            f'<md:KeyDescriptor use="signing">{key}</md:KeyDescriptor>'
            f"<md:NameIDFormat>{_FORMAT}persistent</md:NameIDFormat>"
            '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"'
            f" Location={quoteattr(self.entity_id + '/sso')}/>"
            "</md:IDPSSODescriptor></md:EntityDescriptor>"
        )

    def register(self, iam: Any) -> str:
        """Make the IAM identity provider through a boto3 client of IAM; gives its ARN."""
        answer = iam.create_saml_provider(Name=self.name, SAMLMetadataDocument=self.metadata)
        self.arn = str(answer["SAMLProviderArn"])
        return self.arn

    def response(self, role: str, **options: Any) -> str:
        """Give a signed response that offers `role`, in Base64; `options` are those of `document`."""
        return base64.b64encode(self.sign(self.document(role, **options))).decode()

    def document(
        self,
        role: str,
        *,
        provider: str | None = None,
        subject: str = "alice",
        subject_format: str = f"{_FORMAT}persistent",
        session_name: str | None = "alice",
        source_identity: str | None = None,
        tags: Mapping[str, str] | None = None,
        transitive: Sequence[str] = (),
        attributes: Mapping[str, Sequence[str]] | None = None,
        audience: str = "urn:amazon:webservices",
        recipient: str = _SIGN_IN,
        issuer: str | None = None,
        status: str = "Success",
        issued_at: datetime | None = None,
        lifetime: timedelta = timedelta(minutes=5),
        session_ends: datetime | None = None,
    ) -> str:
        """Write a response as XML, not signed yet: one assertion, offering `role` together with `provider`."""
        now = issued_at or self._clock.now()
        end = isoformat(now + lifetime)
        found = {
            f"{_ATTRIBUTES}Role": [f"{role},{provider or self.arn}"],
            f"{_ATTRIBUTES}RoleSessionName": [] if session_name is None else [session_name],
            f"{_ATTRIBUTES}SourceIdentity": [] if source_identity is None else [source_identity],
            f"{_ATTRIBUTES}TransitiveTagKeys": list(transitive),
            **{f"{_ATTRIBUTES}PrincipalTag:{key}": [value] for key, value in (tags or {}).items()},
            **{name: list(values) for name, values in (attributes or {}).items()},
        }
        ends = "" if session_ends is None else f' SessionNotOnOrAfter="{isoformat(session_ends)}"'
        name = escape(issuer or self.entity_id)
        return (
            '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Version="2.0"'
            f' ID="_{uuid.uuid4().hex}" IssueInstant="{isoformat(now)}" Destination={quoteattr(recipient)}>'
            f'<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{name}</saml:Issuer>'
            f'<samlp:Status><samlp:StatusCode Value="{_STATUS}{status}"/></samlp:Status>'
            '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Version="2.0"'
            f' ID="_{uuid.uuid4().hex}" IssueInstant="{isoformat(now)}"><saml:Issuer>{name}</saml:Issuer>'
            f"<saml:Subject><saml:NameID Format={quoteattr(subject_format)}>{escape(subject)}</saml:NameID>"
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
            f'<saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient={quoteattr(recipient)}/>'
            "</saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions NotBefore="{isoformat(now)}" NotOnOrAfter="{end}"><saml:AudienceRestriction>'
            f"<saml:Audience>{escape(audience)}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{isoformat(now)}"{ends}/>'
            f"<saml:AttributeStatement>{_attributes(found)}</saml:AttributeStatement>"
            "</saml:Assertion></samlp:Response>"
        )

    def sign(self, document: str, *, whole: bool = False) -> bytes:
        """Sign the assertion of a response, or the `whole` response, and give the document's bytes."""
        from lxml import etree  # noqa: PLC0415 - comes with signxml
        from signxml import CanonicalizationMethod, XMLSigner  # noqa: PLC0415 - the extra `saml`

        root = etree.fromstring(document)
        assertion = root.find("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")
        signed = root if whole or assertion is None else assertion
        signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
        result = signer.sign(
            signed, key=self._key, cert=self.certificate, reference_uri=f"#{signed.get('ID')}", id_attribute="ID"
        )
        if signed is root:
            return bytes(etree.tostring(result))
        root.replace(assertion, result)
        return bytes(etree.tostring(root))

    def close(self) -> None:
        """Nothing runs: a SAML provider hands its responses to the user's browser."""


def _attributes(found: Mapping[str, Sequence[str]]) -> str:
    return "".join(
        f"<saml:Attribute Name={quoteattr(name)}>"
        + "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
        + "</saml:Attribute>"
        for name, values in found.items()
        if values
    )


def _new_key(name: str) -> tuple[Any, str]:
    """Make a key and a certificate of its own for ten years."""
    from cryptography import x509  # noqa: PLC0415 - comes with signxml
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM).decode()
