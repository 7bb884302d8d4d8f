"""The source ``tfplan:``: what a Terraform plan would leave in place, as an account.

The plan is the JSON of ``terraform show -json PLAN``. What is known after apply only stays unknown, by its address.
https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from re import compile as regex
from typing import TYPE_CHECKING, Final

import msgspec

from pytest_stsguard.account.blueprint import Blueprint
from pytest_stsguard.account.decode import Hints, decode_value
from pytest_stsguard.account.plan.entity import PlanEntities
from pytest_stsguard.account.plan.machine import add_machines
from pytest_stsguard.account.plan.resource import Resources
from pytest_stsguard.account.plan.wire import Plan
from pytest_stsguard.account.standins import Standins
from pytest_stsguard.account.text import read_text
from pytest_stsguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from pytest_stsguard.account.model import Account

__all__ = ["LIMIT", "read_plan"]

LIMIT: Final = 128 * 1024 * 1024
"""The most bytes of a plan: ten thousand resources take about 50 MB."""

_MAKE: Final = "`terraform plan -out=PLAN`, then `terraform show -json PLAN`"
_HINTS: Final = Hints(
    again=f"make it again: {_MAKE}", shape=f"make one with {_MAKE}", form=f"expected the output of {_MAKE}"
)
_DECODER = msgspec.json.Decoder(Plan)
_ARN = regex(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):")
_GAPS: Final = {
    "RoleLastUsed": "a plan has no history",
    "instances outside the plan": "a plan shows what its configuration manages",
    "identity providers outside the plan": "a plan shows what its configuration manages",
    "organization": "a plan does not name its organisation",
}


_HIDDEN: Final = {
    "awscc_iam_role": ("roles of the provider awscc", "its resources are not read here"),
    "aws_cloudformation_stack": ("roles of CloudFormation stacks", "a stack's template is a file of its own"),
    "aws_cloudformation_stack_set": (
        "roles of CloudFormation stack sets",
        "a stack set's template is a file of its own",
    ),
    "awscc_cloudformation_stack": ("roles of CloudFormation stacks", "a stack's template is a file of its own"),
}
"""Types that make roles which the plan does not show."""


def read_plan(path: str, *, source: str | None = None, standins: Standins | None = None) -> Account:
    """Read a plan as the account that it would leave.

    Args:
        path: the JSON; plain or gzip.
        source: what to call it; default ``tfplan:PATH``.
        standins: the account and region, where the plan does not name them.

    Raises:
        InputError: with file, line, and what is wrong.
    """
    plan, text = decode_value(read_text(path, limit=LIMIT), path, _DECODER, hints=_HINTS)
    try:
        resources = Resources(plan, text)
    except RecursionError:
        raise InputError("modules are nested too deeply", location=path) from None
    settings = _with_region(standins or Standins(), plan)
    partition, account, others = _owner(resources, settings)
    blueprint = Blueprint(source or f"tfplan:{path}", account, partition)
    if others:
        message = f"the plan is for the account `{account}` and for {', '.join(f'`{one}`' for one in others)} too"
        hint = "what is said of the own account holds for the first alone"
        blueprint.problems.append(InputError(message, location=path, hint=hint))
    if plan.errored:
        blueprint.problems.append(InputError("planning failed: the plan is not whole", location=path, hint=_MAKE))
    if plan.deferred_changes:
        blueprint.gaps["roles that are deferred"] = f"{len(plan.deferred_changes)} resources wait for a later plan"
    kinds = {planned.block.partition(".")[0] for planned in resources.all.values()}
    blueprint.gaps.update(gap for kind, gap in _HIDDEN.items() if kind in kinds)
    PlanEntities(blueprint, resources).add_all()
    add_machines(blueprint, resources, settings)
    blueprint.gaps.update(_GAPS)
    return blueprint.build()


def _with_region(settings: Standins, plan: Plan) -> Standins:
    """Take the region from the provider's block, where it is written there and the user named none."""
    provider = plan.configuration.provider_config.get("aws")
    region = provider.expressions.get("region") if provider is not None else None
    written = region.get("constant_value") if isinstance(region, dict) else None
    if settings.region is not None or not isinstance(written, str):
        return settings
    try:
        return replace(settings, region=written)
    except ConfigurationError:
        return settings  # a region that is none here is not worth more than the stand-in


def _owner(resources: Resources, settings: Standins) -> tuple[str, str, list[str]]:
    """Give partition and account: as the user says, as the plan's data sources and ARNs do, or the stand-in's."""
    found = Counter[tuple[str, str]]()
    for planned in resources.all.values():
        if planned.block.startswith("data.aws_caller_identity."):
            match = _ARN.match(f"arn:{settings.partition}:iam::{planned.text('account_id') or ''}:")
        else:
            match = _ARN.match(planned.text("arn") or "") if not planned.block.startswith("data.") else None
        if match is not None:
            found[match["partition"], match["account"]] += 1
    ranked = [owner for owner, _ in found.most_common()]
    partition, account = ranked[0] if ranked else (settings.partition, settings.id)
    account = settings.account or account
    return partition, account, sorted({one for _, one in ranked} - {account})
