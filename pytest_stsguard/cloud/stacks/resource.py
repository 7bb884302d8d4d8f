"""A resource of a stack, as moto's stack holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .kinds import Kind

__all__ = ["Made", "Outline", "made_of", "templates_of"]


class Made:
    """What calls have made; its fields bear the names by which moto's stack asks for them.

    `held` are the items of its parts that were put, each with its part's number. It has no slots: a saved state holds it.
    """

    def __init__(self, kind: str, logical: str, name: str, properties: Mapping[str, Any]) -> None:
        self.cf_resource_type = kind
        self.logical_resource_id = logical
        self.physical_resource_id = name
        self.name = name
        self.properties = dict(properties)
        self.attributes: dict[str, Any] = {}
        self.held: list[tuple[int, Any]] = []

    def is_created(self) -> bool:
        """Whether it is there."""
        return True

    def get_cfn_attribute(self, name: str) -> Any:
        """Give what ``Fn::GetAtt`` gives; moto tells a template that asks for another."""
        if name not in self.attributes:
            from moto.cloudformation.exceptions import UnformattedGetAttTemplateException  # noqa: PLC0415 - with a stack

            raise UnformattedGetAttTemplateException
        return self.attributes[name]


class Outline:
    """What moto asks a type about before there is a resource of it."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def has_cfn_attr(self, name: str) -> bool:
        """Whether ``Fn::GetAtt`` knows the attribute."""
        return name in self._kind.attributes


def made_of(resources: Any) -> dict[str, Any]:
    """Give what is there of a stack, by moto's map of it: resources in the order of their making, and parameters."""
    found: dict[str, Any] = resources._parsed_resources  # noqa: SLF001 - moto offers no other way to ask
    return found


def templates_of(resources: Any) -> dict[str, Any]:
    """Give the resources of a stack as its template has them, by moto's map of it."""
    found: dict[str, Any] = resources._resource_json_map  # noqa: SLF001 - as above
    return found
