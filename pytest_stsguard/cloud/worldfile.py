"""A world that comes from a file: a CloudFormation template, or the saved state of another cloud."""

from __future__ import annotations

import json
import logging
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pytest_stsguard.cloud.snapshot import is_state
from pytest_stsguard.cloud.stacks import trusted
from pytest_stsguard.cloud.world import WORLDS
from pytest_stsguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.gate import Gate

__all__ = ["WorldFile", "world_file"]

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_UNSUPPORTED = re.compile(r"Tried to parse (\S+) but it's not supported")


class Ground(Protocol):
    """The open cloud that a file is put into."""

    account: str
    gate: Gate

    def client(self, service: str) -> Any:
        """Make a boto3 client of its administrator."""

    def restore(self, state: Any) -> None:
        """Put a saved state in the place of its own."""


@dataclass(frozen=True, slots=True)
class WorldFile:
    """The content of such a file, read and looked over; `parameters` are those of a template."""

    path: Path
    text: str = field(repr=False)
    state: Any = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path, parameters: Mapping[str, str] | None = None) -> WorldFile:
        """Read a file.

        Raises:
            InputError: the file cannot be read, is neither, or does not take these `parameters`.
        """
        place = Path(path)
        try:
            text = place.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise InputError(f"cannot read `{path}`: {reason.lower()}") from error
        given = dict(parameters or {})
        if is_state(text):
            if given:
                raise InputError(f"`{path}` is a saved state, which takes no parameters")
            return cls(place, text, _json(place, text))
        _check_template(place, text, given)
        return cls(place, text, None, given)

    def plant(self, cloud: Ground) -> tuple[str, ...]:
        """Put it into an open, empty cloud; gives what of it could not be.

        Raises:
            InputError: the state is of another cloud, or the stack cannot be created.
            ConfigurationError: moto's CloudFormation is not installed.
        """
        if self.state is None:
            return self._create_stack(cloud)
        cloud.restore(self.state)
        left_out = self.state.get("left_out")
        return tuple(str(each) for each in left_out) if isinstance(left_out, list) else ()

    def _create_stack(self, cloud: Ground) -> tuple[str, ...]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - botocore comes with the first cloud

        _check_installed()
        # What moto logs of a type that it does not know is told by `left_out`.
        logging.getLogger("moto").addHandler(logging.NullHandler())
        name = re.sub(r"[^A-Za-z0-9-]+", "-", self.path.stem).strip("-")
        given = [{"ParameterKey": key, "ParameterValue": text} for key, text in self.parameters.items()]
        # The simulator's own world is nobody's doing: moto makes it, and no policy is asked.
        with trusted(), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                cloud.client("cloudformation").create_stack(
                    StackName=name if name[:1].isalpha() else f"world-{name}",
                    TemplateBody=self.text,
                    Parameters=given,
                    Capabilities=_CAPABILITIES,
                )
            except (ClientError, BotoCoreError) as error:
                raise InputError(f"the stack of `{self.path}` cannot be created: {error}") from error
        cloud.gate.principals.adopt(cloud.account)
        found = {match[1] for each in told if (match := _UNSUPPORTED.search(str(each.message)))}
        return tuple(f"{kind}: moto's CloudFormation does not create it" for kind in sorted(found))


def _check_installed() -> None:
    try:
        import moto.cloudformation  # noqa: F401, PLC0415 - moto is imported when a cloud opens
    except ImportError as error:
        raise ConfigurationError(
            f"a world from a template needs moto's CloudFormation, which lacks `{error.name}`",
            hint="install `moto[cloudformation]`",
        ) from error


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"`{path}` is no JSON: {error}") from error


def _check_template(path: Path, text: str, given: Mapping[str, str]) -> None:
    template = _template(path, text)
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict) or not template["Resources"]:
        raise InputError(f"`{path}` is neither a CloudFormation template, which has `Resources`, nor a saved state")
    for name, resource in template["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise InputError(f"`{path}`: the resource `{name}` has no `Type`")
    declared = template.get("Parameters") or {}
    if not isinstance(declared, dict):
        raise InputError(f"`{path}`: `Parameters` is no mapping")
    if unknown := sorted(given.keys() - declared.keys()):
        raise InputError(f"`{path}` has no parameter `{unknown[0]}`", hint=f"it has: {', '.join(declared) or 'none'}")
    wanting = [name for name, each in declared.items() if not (isinstance(each, dict) and "Default" in each)]
    if missing := sorted(set(wanting) - given.keys()):
        raise InputError(f"`{path}` needs the parameter `{missing[0]}`", hint=f"give it by {missing[0]}=VALUE")


def _template(path: Path, text: str) -> Any:
    if text.lstrip().startswith("{"):
        return _json(path, text)
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - PyYAML ships no types; few worlds come from a file

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # as said
        """Reads CloudFormation's short forms (``!Ref``) as what they are made of."""

    Loader.add_multi_constructor("!", _untagged)
    try:
        return yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise InputError(
            f"`{path}` is no YAML{where}: {getattr(error, 'problem', None) or 'it cannot be read'}"
        ) from error


def _untagged(loader: Any, _suffix: str, node: Any) -> Any:
    import yaml  # noqa: PLC0415 - as above

    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return loader.construct_scalar(node)


def world_file(world: str | Path, parameters: Mapping[str, str] | None) -> WorldFile | None:
    """Read the file that a world is named by; None for one of ours."""
    if world not in WORLDS:
        if not isinstance(world, Path) and not Path(world).suffix and not Path(world).exists():
            raise ConfigurationError(
                f"unknown world `{world}`",
                hint=f"there are: {', '.join(sorted(WORLDS))}; or give a template's or a saved state's file",
            )
        return WorldFile.read(world, parameters)
    if parameters:
        raise ConfigurationError("only a template's world takes parameters")
    return None
