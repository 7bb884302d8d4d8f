"""The images that moto's EC2 begins with, made once and copied for each later cloud.

moto makes a volume and a snapshot for each of 1,300 images, and does so anew for every account and region: a seventh of a
second in each test that reaches EC2. What the copies hold is what moto made; their snapshots keep their ids, as AWS's do.
"""

from __future__ import annotations

import os
import threading
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

__all__ = ["install", "uninstall"]

# Of how many accounts and regions images are kept: a test's own, and few beside it.
KEPT = 4

_LOCK = threading.Lock()
_ORIGINAL: dict[str, Callable[[Any], None]] = {}
_MADE: dict[Hashable, _Made] = {}
_T = TypeVar("_T")


def install() -> None:
    """Make moto's EC2 begin with copies; a second call does nothing."""
    with _LOCK:
        if _ORIGINAL:
            return
        from moto.ec2.models.amis import AmiBackend  # noqa: PLC0415 - moto's EC2 comes with the first call to it

        _ORIGINAL["load"] = AmiBackend._load_amis  # noqa: SLF001 - moto offers no other place
        AmiBackend._load_amis = _load  # noqa: SLF001 - as above


def uninstall() -> None:
    """Give moto its own way back."""
    with _LOCK:
        if not _ORIGINAL:
            return
        from moto.ec2.models.amis import AmiBackend  # noqa: PLC0415 - as above

        AmiBackend._load_amis = _ORIGINAL.pop("load")  # noqa: SLF001 - as above


def _load(backend: Any) -> None:
    """Fill a new backend with its images: moto's own making the first time, copies from then on."""
    from moto.core.utils import utcnow  # noqa: PLC0415 - as above
    from moto.ec2.models.amis import AmiBackend  # noqa: PLC0415 - as above

    # What moto's own making depends on, and the class, which a test of a plugin may have loaded twice.
    settings = (os.environ.get("MOTO_AMIS_PATH"), os.environ.get("MOTO_EC2_LOAD_DEFAULT_AMIS"))
    key = (type(backend), backend.account_id, backend.region_name, *settings)
    made = _MADE.get(key)
    if made is None:
        _ORIGINAL.get("load", AmiBackend._load_amis)(backend)  # noqa: SLF001 - as above
        made = _Made.of(backend.amis.values())
        with _LOCK:
            while len(_MADE) >= KEPT:
                del _MADE[next(iter(_MADE))]
            _MADE[key] = made
        return
    now = utcnow()
    for image in made.copies(backend):
        image.ebs_snapshot.start_time = now
        backend.amis[image.id] = image
        backend.snapshots[image.ebs_snapshot.id] = image.ebs_snapshot


@dataclass(frozen=True, slots=True)
class _Made:
    """Images that nobody else holds, and the attributes of an image and of a snapshot that calls change in place."""

    images: tuple[Any, ...]
    of_image: frozenset[str]
    of_snapshot: frozenset[str]

    @classmethod
    def of(cls, images: Iterable[Any]) -> _Made:
        given = tuple(images)
        of_image = frozenset(name for one in given for name in _changeable(one))
        of_snapshot = frozenset(name for one in given for name in _changeable(one.ebs_snapshot))
        return cls(tuple(cls(given, of_image, of_snapshot).copies(None)), of_image, of_snapshot)

    def copies(self, backend: Any) -> Iterator[Any]:
        for one in self.images:
            image = _copy(one, backend, self.of_image)
            image.ebs_snapshot = snapshot = _copy(one.ebs_snapshot, backend, self.of_snapshot)
            if backend is None:
                # The copies share it: moto deletes a volume once its snapshot is taken, so no call reaches it.
                snapshot.volume = _copy(snapshot.volume, None, frozenset())
            yield image


def _changeable(one: Any) -> list[str]:
    return [name for name, held in vars(one).items() if isinstance(held, (list, set, dict))]


def _copy(one: _T, backend: Any, changeable: frozenset[str]) -> _T:
    copied = object.__new__(type(one))
    held = vars(copied)
    held.update(vars(one))
    for name in changeable:
        held[name] = copy(held[name])
    held["ec2_backend"] = backend
    return copied
