"""A newcomer's first test: it passes, and without the revocation it fails and says why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def readme_test(checkout: Path) -> str:
    """Give the first Python block of the README."""
    found = re.search(r"```python\n(.*?)```", (checkout / "README.md").read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_ten_lines_pass(pytester: pytest.Pytester, readme_test: str) -> None:
    pytester.makepyfile(readme_test)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_without_the_revocation_they_fail_and_say_why(pytester: pytest.Pytester, readme_test: str) -> None:
    pytester.makepyfile(readme_test.replace('    sts_revoke("A4L-DataRole")', '    # sts_revoke("A4L-DataRole")'))
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*expected s3.list_buckets to be denied, but it was allowed",
            "*call:    s3.list_buckets",
            "*session: arn:aws:sts::111122223333:assumed-role/A4L-DataRole/stolen, key ?*?*?*?*????, issued *, expires *",
            "*why:*ALLOWED: * s3:ListAllMyBuckets on ?",
            "*decided by Allow Statement?0? of A4L-DataRoleAccess",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_failing_test_shows_no_secret(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path

        from pytest_stsguard.asserts import assert_denied


        def keep(credentials):
            secrets = [credentials.secret_access_key, credentials.session_token, credentials.access_key_id]
            Path("secrets").write_text("\\n".join(secrets))


        def test_it(sts_assume_role):
            stolen = sts_assume_role("A4L-DataRole")
            keep(stolen)
            assert_denied(stolen, "s3.list_buckets")
        """
    )
    result = pytester.runpytest("--showlocals", "--full-trace", "-vv")
    result.assert_outcomes(failed=1)
    output = result.stdout.str()
    secret, token, key_id = (pytester.path / "secrets").read_text().splitlines()
    assert f"****{key_id[-4:]}" in output
    assert secret not in output
    assert token not in output
    assert key_id not in output


def test_probe_by_caller_identity_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from pytest_stsguard.asserts import assert_denied
        from pytest_stsguard.errors import StsGuardError


        def test_by_name(sts_assume_role):
            with pytest.raises(StsGuardError, match="answers it whatever is denied"):
                assert_denied(sts_assume_role("A4L-DataRole"), "sts.get_caller_identity")


        def test_by_callable(sts_assume_role, sts_revoke):
            stolen = sts_assume_role("A4L-DataRole")
            sts_revoke("A4L-DataRole")
            with pytest.raises(AssertionError, match="GetCallerIdentity"):
                assert_denied(stolen, lambda session: session.client("sts").get_caller_identity())


        def test_a_probe_that_calls_nothing(sts_assume_role):
            with pytest.raises(AssertionError, match="made no AWS call"):
                assert_denied(sts_assume_role("A4L-DataRole"), lambda session: None)
        """
    )
    pytester.runpytest().assert_outcomes(passed=3)


def test_expired_session_is_no_containment(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from pytest_stsguard.asserts import assert_denied


        def test_it(sts_cloud, sts_assume_role):
            stolen = sts_assume_role("A4L-DataRole", DurationSeconds=900)
            sts_cloud.clock.advance(901)
            with pytest.raises(AssertionError, match="inconclusive") as raised:
                assert_denied(stolen, "s3.list_buckets")
            assert "ExpiredToken" in str(raised.value)
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_every_step_of_the_demo_world_is_green(pytester: pytest.Pytester, checkout: Path) -> None:
    result = pytester.runpytest(
        f"--rootdir={checkout}", "-p", "no:cacheprovider", "-q", str(checkout / "checks"), "--html=report.html"
    )
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) == 0
    assert outcomes["passed"] >= 20
    assert "Control" in (pytester.path / "report.html").read_text()
