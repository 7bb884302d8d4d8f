"""The sources ``aws:`` and ``org:``: an account, or all accounts of an organisation, through boto3."""

from pytest_stsguard.account.live.organization import load_organization
from pytest_stsguard.account.live.session import read_session

__all__ = ["load_organization", "read_session"]
