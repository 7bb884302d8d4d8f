"""The tags that a request sets or removes: aws:RequestTag and aws:TagKeys.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requesttag
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .scope import find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .permission import Context

__all__ = ["object_tags", "request_tags", "specified_tags", "tag_context"]

_LISTS = ("Tags", "tags", "TagList", "TagsList", "Tag", "tagList", "Tagging.TagSet", "CreateBucketConfiguration.Tags")
_KEY_LISTS = ("TagKeys", "tagKeys", "TagKeyList", "UntagKeys")


def request_tags(parameters: Mapping[str, Any]) -> dict[str, str | None]:
    """Give the tags that a call carries, or the keys that it removes with the value None."""
    tags: dict[str, str | None] = {}
    for path in _LISTS:
        for tag in find(parameters, path):
            if isinstance(tag, dict):
                tags.update(_tag(tag))
    for path in _KEY_LISTS:
        for key in find(parameters, path):
            if isinstance(key, str):
                tags.setdefault(key, None)
    return tags


def _tag(tag: dict[str, Any]) -> dict[str, str | None]:
    """Read ``{"Key": k, "Value": v}`` in its spellings, else a plain map of tags."""
    for key, value in (("Key", "Value"), ("key", "value"), ("TagKey", "TagValue"), ("tagKey", "tagValue")):
        if key in tag:
            given = tag.get(value)
            return {str(tag[key]): None if given is None else str(given)}
    return {str(key): str(value) for key, value in tag.items() if isinstance(value, str)}


def specified_tags(parameters: Mapping[str, Any]) -> dict[str, dict[str, str | None]]:
    """Give EC2's TagSpecifications: the tags by the type of the resource that they are for."""
    specified: dict[str, dict[str, str | None]] = {}
    for path in ("TagSpecifications", "TagSpecification", "SpotFleetRequestConfig.TagSpecifications"):
        for entry in find(parameters, path):
            if isinstance(entry, dict):
                tags = request_tags(entry)
                if tags:
                    specified.setdefault(str(entry.get("ResourceType", "")), {}).update(tags)
    return specified


def object_tags(parameters: Mapping[str, Any]) -> dict[str, str | None]:
    """Give the tags of an S3 object: of the ``x-amz-tagging`` header, or of a tag set in the body."""
    tagging = parameters.get("Tagging")
    if isinstance(tagging, str):
        return dict(parse_qsl(tagging, keep_blank_values=True))
    return request_tags({"Tagging": tagging}) if tagging else {}


def tag_context(tags: Mapping[str, str | None]) -> Context:
    """Write tags as condition keys."""
    context: Context = {f"aws:RequestTag/{key}": value for key, value in tags.items() if value is not None}
    if tags:
        context["aws:TagKeys"] = list(tags)
    return context
