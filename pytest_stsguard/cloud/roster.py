"""IAM entities of one account by name, without a walk over all of them.

moto keeps roles by their unique id and instance profiles by theirs. What was found once is remembered by name, and holds for
as long as what it leads to still bears the name: entities are renamed, deleted and made again at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Roster", "with_id"]


class Roster:
    """Remembers where entities were found; safe to share between threads, since a wrong memory is noticed."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str, str], Any] = {}

    def named(self, account: str, kind: str, name: str, held: Mapping[Any, Any]) -> Any:
        """Give the entity of `held` that has this name; None when none has."""
        place = (account, kind, name)
        known = self._keys.get(place)
        found = held.get(known) if known is not None else None
        if found is not None and _name(found) == name:
            return found
        for key, each in list(held.items()):
            if _name(each) == name:
                self._keys[place] = key
                return each
        self._keys.pop(place, None)
        return None


def with_id(held: Mapping[Any, Any], unique_id: str) -> Any:
    """Give the entity with this unique id, under which moto keeps it; None when there is none."""
    found = held.get(unique_id)
    if found is not None and found.id == unique_id:
        return found
    # One that was put into the account from elsewhere may be kept under another key.
    return next((each for each in list(held.values()) if each.id == unique_id), None)


def _name(entity: Any) -> Any:
    return getattr(entity, "name", None) or getattr(entity, "cert_name", None)
