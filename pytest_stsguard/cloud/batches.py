"""S3's DeleteObjects, which AWS answers key by key: what may be deleted is, the rest is told as errors.

See "DeleteObjects" in the Amazon S3 API Reference. Other batch operations are checked, and refused, as one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from pytest_stsguard.cloud.request import Headers, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.permissions import Permission
    from pytest_stsguard.cloud.request import Request

__all__ = ["Deletion", "deletion_of"]

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_FIELDS = ("Key", "VersionId", "ETag")
_FAILED = 300


def deletion_of(call: Call) -> Deletion | None:
    """Give the batch that a call is; None for any other call."""
    if (call.service, call.operation) != ("s3", "DeleteObjects"):
        return None
    return Deletion((call.parameters.get("Delete") or {}).get("Objects") or [], call.parameters)


class Deletion:
    """The entries of one DeleteObjects, and the words with which some of them are denied."""

    def __init__(self, entries: list[Mapping[str, Any]], parameters: Mapping[str, Any]) -> None:
        self._entries = entries
        self._quiet = bool((parameters.get("Delete") or {}).get("Quiet"))
        self._denied: dict[int, str] = {}

    def positions(self, needed: tuple[Permission, ...]) -> Iterator[tuple[int, Permission]]:
        """Pair each permission with the position of the entry that needs it: each entry's deletion comes first."""
        position = -1
        for permission in needed:
            position += permission.action.startswith("s3:DeleteObject")
            # Through an access point every entry is asked for twice: on the point, then on the bucket.
            yield position % len(self._entries), permission

    def deny(self, position: int, words: str) -> None:
        """Note that an entry is denied; the first reason stays."""
        self._denied.setdefault(position, words)

    @property
    def untouched(self) -> bool:
        """Whether moto's answer stands as it is: every entry may be deleted, and all are to be named."""
        return not self._denied and not self._quiet

    @property
    def refused(self) -> bool:
        """Whether no entry may be deleted."""
        return len(self._denied) == len(self._entries)

    def reduced(self, request: Request) -> Request:
        """Give the request for what may be deleted."""
        root = ET.Element("Delete", xmlns=_NAMESPACE)
        for position, entry in enumerate(self._entries):
            if position not in self._denied:
                _element(root, "Object", {name: entry[name] for name in _FIELDS if name in entry})
        body = ET.tostring(root, encoding="utf-8")
        dropped = ("content-md5", "content-length", "x-amz-checksum", "x-amz-sdk-checksum", "x-amz-content-sha256")
        headers = Headers((name, value) for name, value in request.headers.items() if not name.startswith(dropped))
        headers["content-length"] = str(len(body))
        return replace(request, headers=headers, body=body)

    def answer(self, response: Response | None) -> Response:
        """Add the denied entries to what was answered for the others; None stands for none of them."""
        if response is not None and response.status >= _FAILED:
            return response
        if response is None:
            root = ET.Element(f"{{{_NAMESPACE}}}DeleteResult")
            headers: Mapping[str, str] = {"content-type": "application/xml"}
        else:
            root = ET.fromstring(response.body)  # noqa: S314 - moto's own answer
            headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
        for each in [each for each in root if self._quiet and each.tag.endswith("Deleted")]:
            # moto names them all the same.
            root.remove(each)
        namespace = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
        for position, words in sorted(self._denied.items()):
            entry = self._entries[position]
            told = {name: entry[name] for name in ("Key", "VersionId") if entry.get(name)}
            _element(root, f"{namespace}Error", {**told, "Code": "AccessDenied", "Message": words}, namespace)
        ET.register_namespace("", _NAMESPACE)
        return Response(200, headers, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _element(root: ET.Element, name: str, children: Mapping[str, Any], namespace: str = "") -> None:
    element = ET.SubElement(root, name)
    for child, value in children.items():
        ET.SubElement(element, f"{namespace}{child}").text = str(value)
