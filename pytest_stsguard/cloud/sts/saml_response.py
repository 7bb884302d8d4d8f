"""Reading and verifying a SAML 2.0 response: what is used is what was signed, and nothing beside it.

See "SAML 2.0 federation" and "Configure SAML assertions for the authentication response" in the IAM User Guide, and
"SAML Security Considerations" on signature wrapping.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Assertion", "Metadata"]

_PROTOCOL: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_SAML: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_METADATA: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DSIG: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_METHODS: Final = ("RSA_SHA256", "RSA_SHA384", "RSA_SHA512", "ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512")
_LARGEST_METADATA: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider's metadata document says: its name, and the certificates that it signs with."""

    entity_id: str
    certificates: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Metadata:
        """Read the document that CreateSAMLProvider was given."""
        root = _tree(text.encode()) if len(text) <= _LARGEST_METADATA else None
        if root is None or root.tag != f"{_METADATA}EntityDescriptor" or not root.get("entityID"):
            raise refuse("saml-metadata")
        found = []
        for descriptor in root.iterfind(f"{_METADATA}IDPSSODescriptor/{_METADATA}KeyDescriptor"):
            if descriptor.get("use", "signing") != "signing":
                continue
            for certificate in descriptor.iter(f"{_DSIG}X509Certificate"):
                found.append("".join(_text(certificate).split()))  # noqa: PERF401 - a comprehension of three levels hides them
        if not found:
            raise refuse("saml-metadata")
        return cls(str(root.get("entityID")), tuple(found))


@dataclass(frozen=True, slots=True)
class Assertion:
    """The assertion of a response whose signature is verified; times are aware."""

    identifier: str
    issuer: str
    subject: str
    subject_format: str
    recipients: tuple[str, ...]
    audiences: tuple[str, ...]
    issued_at: datetime
    not_before: datetime | None
    not_after: datetime | None
    session_ends: datetime | None
    attributes: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, text: str, metadata: Metadata) -> Assertion:
        """Take a Base64 response apart and verify it against the provider's certificates.

        Raises:
            Fault: no response at all, one that reports a failure, another issuer, a signature that is missing or wrong.
        """
        try:
            raw = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise refuse("saml-shape") from error
        root = _tree(raw)
        if root is None or root.tag != f"{_PROTOCOL}Response":
            raise refuse("saml-shape")
        if root.find(f".//{_SAML}EncryptedAssertion") is not None:
            raise Fault(Refusal.NOT_SIMULATED, "stsguard does not simulate `EncryptedAssertion` of a SAML response")
        code = root.find(f"{_PROTOCOL}Status/{_PROTOCOL}StatusCode")
        if code is None or code.get("Value") != _SUCCESS:
            raise refuse("saml-status")
        assertion = _signed_assertion(root, metadata)
        issuer = _text(assertion.find(f"{_SAML}Issuer"))
        if issuer != metadata.entity_id:
            raise refuse("saml-issuer")
        return _assertion(assertion, issuer)


def _signed_assertion(root: Any, metadata: Metadata) -> Any:
    """Verify the one signature that counts, and give the one assertion that it covers, as it was signed."""
    identifiers = [value for element in root.iter() for name, value in element.attrib.items() if name == "ID"]
    everywhere = root.findall(f".//{_SAML}Assertion")
    inside = root.findall(f"{_SAML}Assertion")
    # Wrapped signatures live off a second assertion, or a second element of the same id: there is one of each, or none.
    if len(everywhere) != 1 or len(inside) != 1 or len(identifiers) != len(set(identifiers)):
        raise refuse("saml-signature")
    if _issuer_differs(inside[0], metadata):
        raise refuse("saml-issuer")
    for element, location in ((inside[0], f"./{_SAML}Assertion/"), (root, "./")):
        if element.find(f"{_DSIG}Signature") is None:
            continue
        signed = _verified(root, location, metadata)
        if signed.tag != element.tag or signed.get("ID") != element.get("ID"):
            raise refuse("saml-signature")
        found = signed if element is inside[0] else signed.find(f"{_SAML}Assertion")
        if found is None:
            raise refuse("saml-signature")
        return found
    raise refuse("saml-signature")


def _issuer_differs(assertion: Any, metadata: Metadata) -> bool:
    return _text(assertion.find(f"{_SAML}Issuer")) != metadata.entity_id


def _verified(root: Any, location: str, metadata: Metadata) -> Any:
    """Give the element that a certificate of the provider signed."""
    try:
        import signxml  # noqa: PLC0415 - the extra `saml`
        from signxml.exceptions import SignXMLException  # noqa: PLC0415
    except ImportError as error:
        raise Fault(
            Refusal.NOT_SIMULATED, "SAML needs the extra `saml`: pip install 'pytest-stsguard[saml]'"
        ) from error
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - comes with signxml
    from lxml import etree  # noqa: PLC0415 - comes with signxml

    methods = frozenset(getattr(signxml.SignatureMethod, name) for name in _METHODS)
    config = signxml.SignatureConfiguration(location=location, signature_methods=methods, expect_references=1)
    for certificate in metadata.certificates:
        try:
            result = signxml.XMLVerifier().verify(
                root, x509_cert=_pem(certificate), id_attribute="ID", expect_config=config
            )
        except (SignXMLException, UnsupportedAlgorithm, etree.LxmlError, ValueError, KeyError, TypeError):
            continue
        if not isinstance(result, list) and result.signed_xml is not None:
            return result.signed_xml
    raise refuse("saml-signature")


def _assertion(element: Any, issuer: str) -> Assertion:
    name = element.find(f"{_SAML}Subject/{_SAML}NameID")
    if name is None or not _text(name):
        raise refuse("saml-subject")
    bearers = [
        data
        for confirmation in element.iterfind(f"{_SAML}Subject/{_SAML}SubjectConfirmation")
        if confirmation.get("Method") == _BEARER
        for data in confirmation.iterfind(f"{_SAML}SubjectConfirmationData")
    ]
    conditions = element.find(f"{_SAML}Conditions")
    statement = element.find(f"{_SAML}AuthnStatement")
    ends = [_moment(each.get("NotOnOrAfter")) for each in (*bearers, *([] if conditions is None else [conditions]))]
    known = [end for end in ends if end is not None]
    issued = _moment(element.get("IssueInstant"))
    if issued is None or not element.get("ID"):
        raise refuse("saml-shape")
    return Assertion(
        identifier=str(element.get("ID")),
        issuer=issuer,
        subject=_text(name),
        subject_format=str(name.get("Format", "")),
        recipients=tuple(str(data.get("Recipient", "")) for data in bearers),
        audiences=tuple(_text(one) for one in element.iterfind(f"{_SAML}Conditions//{_SAML}Audience")),
        issued_at=issued,
        not_before=None if conditions is None else _moment(conditions.get("NotBefore")),
        not_after=min(known) if known else None,
        session_ends=None if statement is None else _moment(statement.get("SessionNotOnOrAfter")),
        attributes={
            str(one.get("Name", "")): tuple(_text(value) for value in one.iterfind(f"{_SAML}AttributeValue"))
            for one in element.iterfind(f"{_SAML}AttributeStatement/{_SAML}Attribute")
        },
    )


def _tree(raw: bytes) -> Any:
    """Parse XML that may be hostile: no document type, no entities, no network; None when it cannot be had so."""
    try:
        from lxml import etree  # noqa: PLC0415 - comes with the extra `saml`
    except ImportError as error:
        raise Fault(
            Refusal.NOT_SIMULATED, "SAML needs the extra `saml`: pip install 'pytest-stsguard[saml]'"
        ) from error
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    info = root.getroottree().docinfo
    return None if info.doctype or info.internalDTD is not None else root


def _text(element: Any) -> str:
    return "" if element is None else "".join(element.itertext()).strip()


def _moment(text: str | None) -> datetime | None:
    """Read a moment; `Fault` for what is none."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise refuse("saml-shape") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _pem(certificate: str) -> str:
    lines = [certificate[start : start + 64] for start in range(0, len(certificate), 64)]
    return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""))
