"""Drills on the user's own roles: an export, a template or a plan is the world of the simulated cloud."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.account import load
from pytest_stsguard.cloud import Cloud
from pytest_stsguard.cloud.stolen import stolen_session
from pytest_stsguard.drill.world import load_target, loaded_cloud, region_of
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from pytest_stsguard.drill import Drill

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPORT = f"export:{EXAMPLES / 'account.json'}"
HOME = "111122223333"


@pytest.mark.stsguard_cloud(world=EXPORT)
def test_a_role_of_the_export_is_stolen_revoked_and_probed(sts_cloud: Cloud, sts_drill: Drill) -> None:
    stolen = stolen_session(sts_cloud, sts_cloud.role_arn("okta-readonly"))
    sts_drill.allowed(stolen, "s3.list_buckets")
    revocation = sts_drill.revoke("okta-readonly")
    sts_drill.denied(stolen, "s3.list_buckets")
    sts_drill.allowed(stolen_session(sts_cloud, sts_cloud.role_arn("okta-readonly")), "s3.list_buckets")
    sts_drill.clean_up()
    assert revocation.role.endswith("okta-readonly")


@pytest.mark.stsguard_cloud(world=EXPORT)
def test_what_could_not_be_loaded_is_said_where_a_drill_depends_on_it(sts_cloud: Cloud) -> None:
    with pytest.raises(CloudError, match="AWS owns it"):
        sts_cloud.role_arn("AWSServiceRoleForSupport")
    with pytest.raises(CloudError, match=r"there is no role `nobody` in account `111122223333`$"):
        sts_cloud.role_arn("nobody")
    (loaded,) = sts_cloud.loaded
    assert "instances" in {one.what for one in loaded.left_out}


def test_a_target_is_loaded_into_an_open_cloud() -> None:
    with Cloud(account=HOME, world="empty") as cloud:
        (loaded,) = load_target(f"tfplan:{EXAMPLES / 'plan.json'}", cloud)
        assert loaded.arns
        assert cloud.loaded == (loaded,)


def test_the_home_region_is_where_the_instances_are() -> None:
    from dataclasses import replace

    from pytest_stsguard.account import Instance

    account = load(EXPORT)
    assert region_of(account) == "us-east-1"
    machine = Instance("i-1", f"arn:aws:ec2:eu-west-1:{HOME}:instance/i-1", "eu-west-1", "running", None)
    moved = replace(account, instances=(machine,))
    with loaded_cloud([moved]) as cloud:
        assert cloud.region == "eu-west-1"


def test_the_target_of_the_run_is_the_world_that_asks_for_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.stsguard_cloud(world="target")
        def test_target(sts_cloud, sts_assume_role):
            assert sts_cloud.role_arn("public-demo") == "arn:aws:iam::111122223333:role/public-demo"
            assert sts_assume_role("public-demo").arn.endswith("assumed-role/public-demo/stsguard")

        @pytest.mark.stsguard_cloud(world="target", account="222233334444")
        def test_two_accounts(sts_cloud):
            raise AssertionError

        def test_demo(sts_cloud):
            assert sts_cloud.role_arn("A4L-DataRole")
        """
    )
    result = pytester.runpytest_inprocess(f"--stsguard-target={EXPORT}", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*the target tells which account it is*"])
