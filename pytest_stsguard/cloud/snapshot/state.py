"""What a state file holds: the accounts as moto keeps them, the issued sessions, the simulated time.

Not in it, and named in the answer of a save: services of which no data can be made, the trail, and what runs beside the
cloud (identity providers, containers, consoles). A file is bound to the version of moto whose objects it describes.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.snapshot.freeze import Freezer, UnsavedError
from pytest_stsguard.cloud.snapshot.thaw import Thawer
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_stsguard.clock import SimulatedClock
    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.instances import Fleet
    from pytest_stsguard.cloud.ledger import Ledger

__all__ = ["FORMAT", "Stores", "is_state", "restore", "save", "text_of"]

FORMAT = 1
_ALLOWED = (
    "moto.",
    "requests.structures.",
    "pytest_stsguard.cloud.ledger.",
    "pytest_stsguard.cloud.metadata.",
    "pytest_stsguard.cloud.stacks.resource.",
)
_ATTEMPTS = 5
_NEVER = ["the trail", "identity providers, containers and consoles that run beside the cloud"]
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where a cloud keeps what a state file holds."""

    backend: Backend
    ledger: Ledger
    clock: SimulatedClock
    fleet: Fleet


def is_state(text: str) -> bool:
    """Tell a state file from a template."""
    return text.lstrip().startswith('{"stsguard-state"')


def save(stores: Stores, administrators: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Give the state as JSON data; ``left_out`` names what is not in it.

    `administrators` are key id and secret of each account's administrator.
    """
    for service in list(stores.backend.seeds):
        stores.backend.seed(service)
    for _ in range(_ATTEMPTS - 1):
        try:
            return _written(stores, administrators)
        except RuntimeError:
            # Another thread's call changed something under our hands: the next look sees it whole.
            continue
    return _written(stores, administrators)


def _written(stores: Stores, administrators: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    backends = dict(_backends(stores.backend))
    known = {id(each): list(where) for where, each in backends.items()}
    known |= {id(book): [name] for name, book in _books()}
    freezer = Freezer(known, _ALLOWED)
    saved, left_out = [], list(_NEVER)
    for where, each in sorted(backends.items()):
        try:
            saved.append([*where, freezer.attributes(each)])
        except UnsavedError as error:
            left_out.append(f"{where[0]} of account {where[1]} in {where[2]}: {error}")
    return {
        "stsguard-state": FORMAT,
        "moto": version("moto"),
        "account": stores.backend.account,
        "region": stores.backend.region,
        "saved_at": isoformat(stores.clock.now()),
        "offset": stores.clock.offset.total_seconds(),
        "administrators": {account: list(key) for account, key in administrators.items()},
        "masters": {account: list(place) for account, place in _masters().items()},
        "backends": saved,
        "ledger": freezer.freeze(stores.ledger.pages()),
        "instances": {each.instance_id: freezer.freeze(each.held()) for each in stores.fleet.all()},
        "table": freezer.table,
        "left_out": left_out,
    }


def restore(stores: Stores, state: Any) -> dict[str, tuple[str, str]]:
    """Put a saved state in the place of what is there; gives the keys of the administrators.

    The simulated time never goes back: it stays where it is when the state is of an earlier one.

    Raises:
        InputError: `state` is no saved state, or one of another moto, account or region; nothing has changed then.
    """
    _check_head(stores, state)
    for service in list(stores.backend.seeds):
        stores.backend.seed(service)
    thawer = None
    try:
        thawer = Thawer(state["table"], _known, _ALLOWED)
        pages = thawer.value(state["ledger"])
        ready = [(_known(*where), _attributes(thawer, own)) for *where, own in state["backends"]]
        held = {instance: thawer.value(each) for instance, each in state["instances"].items()}
        administrators = {str(account): (str(key[0]), str(key[1])) for account, key in state["administrators"].items()}
        masters = {str(account): (str(place[0]), str(place[1])) for account, place in state["masters"].items()}
        stores.ledger.check(pages)
        missing = timedelta(seconds=float(state["offset"])) - stores.clock.offset
    except _UNREADABLE as error:
        if thawer is not None:
            thawer.discard()
        raise InputError(f"the saved state cannot be read: {type(error).__name__}: {error}") from error
    for _, each in _backends(stores.backend):
        each.reset()
    for each, attributes in ready:
        for name, value in attributes.items():
            _set(each, name, value)
        for subnet in _subnets(each):
            # It counts its addresses from the start again, of which the first three are AWS's own.
            for _ in range(3):
                next(subnet._subnet_ip_generator, None)  # noqa: SLF001 - moto offers no other way
    _masters().update(masters)
    stores.ledger.turn_to(pages)
    stores.clock.advance(max(0.0, missing.total_seconds()))
    for instance in stores.fleet.all():
        instance.hold(held.get(instance.instance_id))
    return administrators


@dataclass(frozen=True, slots=True)
class _Entries:
    """The entries of a dictionary whose default is the new object's own."""

    entries: dict[Any, Any]


def _attributes(thawer: Thawer, data: dict[str, Any]) -> dict[str, Any]:
    attributes = {}
    for name, each in data.items():
        own = isinstance(each, dict) and "x" in each
        value = thawer.value(each["x"] if own else each)
        attributes[name] = _Entries(dict(value)) if own else value
    return attributes


def _set(backend: Any, name: str, value: Any) -> None:
    if name.startswith("__"):
        return
    if isinstance(value, _Entries):
        vars(backend)[name].update(value.entries)
    else:
        vars(backend)[name] = value


def _subnets(backend: Any) -> list[Any]:
    places: dict[str, dict[str, Any]] = vars(backend).get("subnets", {}) if hasattr(backend, "get_subnet") else {}
    return [subnet for zone in places.values() for subnet in zone.values()]


def _check_head(stores: Stores, state: Any) -> None:
    if not isinstance(state, dict) or state.get("stsguard-state") != FORMAT:
        raise InputError("this is no saved state of stsguard", hint="save one by GET /_stsguard/state")
    there = {"moto": version("moto"), "account": stores.backend.account, "region": stores.backend.region}
    for name, expected in there.items():
        if state.get(name) != expected:
            raise InputError(f"the saved state is of {name} `{str(state.get(name))[:40]}`, not `{expected}`")


def _books() -> Iterator[tuple[str, Any]]:
    """Give moto's books, one a service, by the service's name."""
    from moto.core.base_backend import BackendDict  # noqa: PLC0415 - moto is imported when a cloud opens

    for book in list(BackendDict._instances):  # noqa: SLF001 - moto offers no other way to ask
        yield book.service_name, book


def _backends(held: Backend) -> Iterator[tuple[tuple[str, str, str], Any]]:
    for name, book in _books():
        for account, region, each in list(book.iter_backends()):
            if held.owns(account):
                yield (name, account, region), each


def _known(name: str, account: str | None = None, region: str | None = None) -> Any:
    from moto.backends import get_backend  # noqa: PLC0415 - as above

    book = get_backend(name)
    if account is None or region is None:
        return book
    if not (account.isdigit() and len(account) == 12):  # noqa: PLR2004 - an account id
        raise ValueError(account)
    return book[account][region]


def _masters() -> dict[str, Any]:
    """Give the second book of Organizations: which account is managed by which."""
    models = sys.modules.get("moto.organizations.models")
    found: dict[str, Any] = models.organizations_backends.master_accounts if models else {}
    return found


def text_of(state: Mapping[str, Any]) -> str:
    """Write a state as the text of its file; its first key tells what it is."""
    return json.dumps(state, separators=(",", ":"))
