"""How a template's value is written for the API, where the two differ."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["WAYS"]

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _kms_tags(value: Any) -> Any:
    return [{"TagKey": each.get("Key"), "TagValue": each.get("Value", "")} for each in value]


def _canned(value: Any) -> str:
    """``PublicRead`` is ``public-read``."""
    return _WORD.sub("-", str(value)).lower()


def _archive(value: Any) -> str:
    """Pack the source of a function that stands in the template, as the one file of its archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), str(value))
    return packed.getvalue().decode("latin-1")


def _renamed(names: Mapping[str, str]) -> Callable[[Any], Any]:
    def rename(value: Any) -> Any:
        if isinstance(value, list):
            return [rename(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {names.get(key, key): rename(inner) for key, inner in value.items()}

    return rename


_RANGES = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def _rule(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write a rule of a security group as the API's permission."""
    rule: dict[str, Any] = {key: value[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in value}
    for name, (ranges, member) in _RANGES.items():
        if name in value:
            told = {member: value[name]}
            if "Description" in value:
                told["Description"] = value["Description"]
            if name == "SourceSecurityGroupId" and "SourceSecurityGroupOwnerId" in value:
                told["UserId"] = value["SourceSecurityGroupOwnerId"]
            rule[ranges] = [told]
    return [rule]


_DAYS = {
    "ExpirationInDays": ("Expiration", "Days"),
    "ExpirationDate": ("Expiration", "Date"),
    "ExpiredObjectDeleteMarker": ("Expiration", "ExpiredObjectDeleteMarker"),
    "NoncurrentVersionExpirationInDays": ("NoncurrentVersionExpiration", "NoncurrentDays"),
    "Prefix": ("Filter", "Prefix"),
}


def _lifecycle(value: Any) -> list[dict[str, Any]]:
    """Write the rules of a bucket's life cycle, which templates tell flat, as the API nests them."""
    rename = _renamed({"Id": "ID", "TransitionInDays": "Days", "TransitionDate": "Date"})
    rules = []
    for each in value:
        rule: dict[str, Any] = {"Filter": {"Prefix": ""}}
        for name, inner in rename(each).items():
            if name in _DAYS:
                outer, member = _DAYS[name]
                rule.setdefault(outer, {})[member] = inner
            else:
                rule[name] = inner
        rules.append(rule)
    return rules


_RECEIVERS = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}


def _notification(value: Any) -> dict[str, Any]:
    """Write whom a bucket tells of its events as the API does."""
    rename = _renamed({"S3Key": "Key", "Rules": "FilterRules"})
    told: dict[str, Any] = {}
    for name, inner in value.items():
        if name == "EventBridgeConfiguration":
            told[name] = {}
            continue
        listed, receiver, arn = _RECEIVERS[name]
        told[listed] = [
            {**rename({key: one for key, one in each.items() if key not in {"Event", receiver}}),
             "Events": [each["Event"]], arn: each[receiver]}
            for each in inner
        ]  # fmt: skip
    return told


WAYS: Mapping[str, Callable[[Any], Any]] = {
    "canned": _canned,
    "comma": lambda value: ",".join(value) if isinstance(value, list) else value,
    "encoded": lambda value: base64.b64encode(str(value).encode()).decode(),
    "given": lambda value: value is not None,
    "kms": _kms_tags,
    "lifecycle": _lifecycle,
    "nothing": lambda _: {},
    "notification": _notification,
    "logging": _renamed({"DestinationBucketName": "TargetBucket", "LogFilePrefix": "TargetPrefix"}),
    "cors": _renamed({"Id": "ID", "MaxAge": "MaxAgeSeconds"}),
    "encryption": _renamed({"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}),
    "rule": _rule,
    "sse": _renamed({"SSEEnabled": "Enabled"}),
    "zip": _archive,
}
"""By name what makes the API's value of a template's; `steps` adds those that need more than the value."""
