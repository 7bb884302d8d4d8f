"""What was found by name is found again at once, and never after it has gone or changed its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.roster import Roster, with_id

if TYPE_CHECKING:
    World = Any  # the class of conftest.py


class Counting(dict[str, Any]):
    """A dictionary that counts the walks over it."""

    walks = 0

    def items(self) -> Any:
        self.walks += 1
        return super().items()


class Entity:
    def __init__(self, identifier: str, name: str) -> None:
        self.id = identifier
        self.name = name


def test_second_look_walks_over_nothing() -> None:
    held, roster = Counting({f"AROA{n}": Entity(f"AROA{n}", f"role-{n}") for n in range(100)}), Roster()
    first = roster.named("1", "role", "role-99", held)
    assert first.id == "AROA99"
    assert roster.named("1", "role", "role-99", held) is first
    assert held.walks == 1
    assert roster.named("2", "role", "role-98", held).id == "AROA98"


def test_memory_gives_way_to_what_is() -> None:
    held, roster = {"AROA1": Entity("AROA1", "one"), "AROA2": Entity("AROA2", "two")}, Roster()
    assert roster.named("1", "role", "one", held).id == "AROA1"
    held["AROA1"].name = "renamed"
    assert roster.named("1", "role", "one", held) is None
    assert roster.named("1", "role", "renamed", held).id == "AROA1"
    del held["AROA1"]
    held["AROA3"] = Entity("AROA3", "renamed")
    assert roster.named("1", "role", "renamed", held).id == "AROA3"


def test_unique_id_is_found_wherever_it_is_kept() -> None:
    held = {"AROA1": Entity("AROA1", "one"), "other": Entity("AROA2", "two"), "AROA3": Entity("AROA4", "three")}
    assert with_id(held, "AROA1").name == "one"
    assert with_id(held, "AROA2").name == "two"
    assert with_id(held, "AROA3") is None


def test_role_made_again_under_its_name_is_another(world: World) -> None:
    first = world.role("again", Path="/one/")
    old = world.assume("again")
    world.cloud.client("s3", old).list_buckets()
    world.iam.delete_role_policy(RoleName="again", PolicyName="access")
    world.iam.delete_role(RoleName="again")
    second = world.role("again", Path="/two/")
    assert (first, second) == (
        f"arn:aws:iam::{world.account}:role/one/again",
        f"arn:aws:iam::{world.account}:role/two/again",
    )
    assert world.refused(world.cloud.client("s3", old).list_buckets).code == "AccessDenied"
    world.cloud.client("s3", world.assume("again")).list_buckets()
