"""The next cloud of a process knows nothing of the organisation of the last one."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

MEMBER = "222233334444"


def test_organisation_ends_with_its_cloud() -> None:
    from moto.iam.models import iam_backends
    from moto.organizations.models import organizations_backends

    for _ in range(2):
        with Cloud(world="empty") as cloud:
            organizations = cloud.client("organizations")
            with pytest.raises(ClientError, match="AWSOrganizationsNotInUseException"):
                organizations.describe_organization()
            before = set(iam_backends)
            organizations.create_organization(FeatureSet="ALL")
            cloud.administrator(MEMBER)
            assert set(iam_backends) - before == {MEMBER}
            members = [each["Id"] for each in organizations.list_accounts()["Accounts"]]
            assert sorted(members) == [cloud.account, MEMBER]
            theirs = cloud.client("organizations", cloud.administrator(MEMBER)).describe_organization()
            assert theirs["Organization"]["MasterAccountId"] == cloud.account
        assert organizations_backends.master_accounts == {}


def test_organisation_with_consolidated_billing_alone_has_no_service_control_policies() -> None:
    with Cloud(world="empty") as cloud:
        organizations = cloud.client("organizations")
        organizations.create_organization(FeatureSet="CONSOLIDATED_BILLING")
        assert organizations.list_roots()["Roots"][0]["PolicyTypes"] == []
