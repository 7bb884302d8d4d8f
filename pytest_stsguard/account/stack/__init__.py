"""The source ``cfn:``: a CloudFormation template, resolved as far as it tells, as an account."""

from pytest_stsguard.account.stack.read import read_stack

__all__ = ["read_stack"]
