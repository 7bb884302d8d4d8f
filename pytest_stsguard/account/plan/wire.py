"""The shape of ``terraform show -json PLAN``, for msgspec's typed decoding; what is not named here is ignored.

https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

__all__ = ["Call", "Change", "ChangedResource", "ConfiguredModule", "ConfiguredResource", "Module", "Plan"]


class PlannedResource(Struct):
    """A resource as it will be; what is known after apply is absent from `values`."""

    address: str
    type: str
    name: str
    mode: str = "managed"
    index: str | int | None = None
    values: dict[str, Any] = {}


class Module(Struct):
    """A module's resources, and the modules inside it."""

    resources: list[PlannedResource] = []
    child_modules: list[Module] = []
    address: str = ""


class Values(Struct):
    """The values of a plan or of a state."""

    root_module: Module = field(default_factory=Module)


class State(Struct):
    """The state that the plan starts from: what data sources read is in it."""

    values: Values = field(default_factory=Values)


class Change(Struct):
    """What happens to a resource; `after_unknown` has true where a value is known after apply."""

    actions: list[str] = []
    after: Any = None
    after_unknown: Any = None


class ChangedResource(Struct):
    """A resource that changes, or a data source that is read during apply."""

    address: str
    change: Change
    type: str = ""
    mode: str = "managed"


class ConfiguredResource(Struct):
    """A resource block of the configuration."""

    address: str
    expressions: dict[str, Any] = {}


class Output(Struct):
    """An output of a module."""

    expression: Any = None


class Call(Struct):
    """A module block of the configuration."""

    expressions: dict[str, Any] = {}
    module: ConfiguredModule = field(default_factory=lambda: ConfiguredModule())  # noqa: PLW0108 - defined below


class ConfiguredModule(Struct):
    """A module of the configuration."""

    resources: list[ConfiguredResource] = []
    module_calls: dict[str, Call] = {}
    outputs: dict[str, Output] = {}


class Provider(Struct):
    """A provider block of the configuration."""

    name: str = ""
    expressions: dict[str, Any] = {}


class Configuration(Struct):
    """The configuration that the plan was made from."""

    provider_config: dict[str, Provider] = {}
    root_module: ConfiguredModule = field(default_factory=ConfiguredModule)


class Plan(Struct):
    """A plan."""

    planned_values: Values
    format_version: str = ""
    resource_changes: list[ChangedResource] = []
    prior_state: State = field(default_factory=State)
    configuration: Configuration = field(default_factory=Configuration)
    deferred_changes: list[Any] = []
    errored: bool = False
