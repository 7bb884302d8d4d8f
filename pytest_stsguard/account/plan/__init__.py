"""The source ``tfplan:``: a Terraform plan, as far as it is known before apply, as an account."""

from pytest_stsguard.account.plan.read import read_plan

__all__ = ["read_plan"]
