"""What moto's services hold of a resource: its ARN where an API's name for it does not tell, and its tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_stsguard.cloud.backend import Backend

__all__ = ["as_mapping", "existing_arn", "is_findable", "tags_of"]

_ARN_PARTS = 6
_TAGGERS = ("tagger", "tagging_service", "_tagger")
# moto's name of a service where the ARNs of its resources have another.
_SERVICES = {
    "apigateway": "apigateway",
    "elasticloadbalancing": "elbv2",
    "elasticfilesystem": "efs",
    "elasticmapreduce": "emr",
    "es": "opensearch",
    "states": "stepfunctions",
    "sso": "sso-admin",
    "airflow": "mwaa",
    "aps": "amp",
    "mobiletargeting": "pinpoint",
    "timestream": "timestream-write",
    "cassandra": "keyspaces",
}
_GLOBAL = "aws"


def service_backend(backend: Backend, name: str, *, account: str, region: str) -> Any:
    """Give moto's backend of a service in an account: of the region, or the only one of a global service."""
    from moto.backends import get_backend  # noqa: PLC0415 - moto is imported when a cloud opens

    backend.seed(name)
    backends = get_backend(name)[account]
    return backends[_GLOBAL if _GLOBAL in backends.regions else region]


def existing_arn(
    backend: Backend, service: str, kind: str, identifier: str, *, account: str, region: str
) -> str | None:
    """Give the ARN of the resource of a type that `identifier` stands for; None when there is none."""
    find = _FINDERS.get((service, kind)) or _FINDERS.get((service, "*"))
    if find is None:
        return None
    return find(service_backend(backend, service, account=account, region=region), kind, identifier)


def _organized(organizations: Any, _: str, identifier: str) -> str | None:
    groups: tuple[Iterable[Any], ...] = (organizations.accounts, organizations.ou, organizations.policies)
    for each in (each for group in groups for each in list(group)):
        if each.id == identifier:
            return str(each.arn)
    return None


def _named(attribute: str, *, by: str = "name", arn: str = "arn") -> Callable[[Any, str, str], str | None]:
    """Make a finder in a backend's mapping, or list, of resources by their name."""

    def find(service: Any, _: str, identifier: str) -> str | None:
        held = getattr(service, attribute)
        entries = list(held.values()) if isinstance(held, Mapping) else list(held)
        return next((str(getattr(each, arn)) for each in entries if getattr(each, by) == identifier), None)

    return find


def _alias(kms: Any, _: str, identifier: str) -> str | None:
    alias = identifier[identifier.index("alias/") :]
    return next((str(key.arn) for key in list(kms.keys.values()) if alias in key.aliases), None)


def _secret(secretsmanager: Any, _: str, identifier: str) -> str | None:
    found = secretsmanager.secrets.get(identifier)
    return None if found is None else str(found.arn)


def _secret_version(secretsmanager: Any, _: str, identifier: str) -> str | None:
    """Find the version of a secret that has a stage; the two are given as ``STAGE|ARN``."""
    stage, _, arn = identifier.partition("|")
    versions = getattr(secretsmanager.secrets.get(arn), "versions", {})
    return next((str(key) for key, held in versions.items() if stage in held.get("version_stages", ())), None)


def _service_of_namespace(servicediscovery: Any, kind: str, identifier: str) -> str | None:
    held = servicediscovery.namespaces if kind == "namespace" else servicediscovery.services
    return next((str(each.arn) for each in list(held.values()) if each.name == identifier), None)


def _workgroup(athena: Any, _: str, identifier: str) -> str | None:
    """Find the workgroup that a query was run or saved in."""
    query = athena.executions.get(identifier) or athena.named_queries.get(identifier)
    workgroup = getattr(query, "workgroup", None)
    return None if workgroup is None else str(workgroup.arn)


def _query_result(athena: Any, _: str, identifier: str) -> str | None:
    """Find the object in S3 that a query's results are in."""
    location = (getattr(athena.executions.get(identifier), "config", None) or {}).get("OutputLocation", "")
    return f"arn:aws:s3:::{location.removeprefix('s3://')}" if location.startswith("s3://") else None


def _broker(mq: Any, _: str, identifier: str) -> str | None:
    """Write a broker's ARN as AWS does, with its name, which moto leaves out."""
    found = mq.brokers.get(identifier)
    return None if found is None else f"{found.arn.rpartition(':')[0]}:{found.name}:{identifier}"


def _deployment_group(codedeploy: Any, _: str, identifier: str) -> str | None:
    found = codedeploy.deployments.get(identifier)
    if found is None:
        return None
    return str(codedeploy._arn(f"deploymentgroup:{found.application_name}/{found.deployment_group_name}"))  # noqa: SLF001 - moto keeps no ARN


def _mounted(efs: Any, _: str, identifier: str) -> str | None:
    found = efs.mount_targets_by_id.get(identifier)
    return None if found is None else str(efs.file_systems_by_id[found.file_system_id].file_system_arn)


def _queried(logs: Any, _: str, identifier: str) -> str | None:
    """Find the first log group of a query; a query over several is AWS's to check on each."""
    found = logs.queries.get(identifier)
    return f"{found.log_groups[0].arn}:log-stream:" if found is not None and found.log_groups else None


def _job_definition(batch: Any, _: str, identifier: str) -> str | None:
    """Find the newest revision of a job definition."""
    found = [each for each in list(batch._job_definitions.values()) if each.name == identifier]  # noqa: SLF001 - moto's read goes by status as well
    return str(max(found, key=lambda each: int(each.revision)).arn) if found else None


def _identity(ses: Any, _: str, identifier: str) -> str | None:
    """Find the verified identity that an address is sent from: itself, or its domain."""
    domain = identifier.rpartition("@")[2]
    name = next((each for each in (identifier, domain) if each in ses.email_identities), None)
    return None if name is None else f"arn:aws:ses:{ses.region_name}:{ses.account_id}:identity/{name}"


def _task_role(ecs: Any, kind: str, identifier: str) -> str | None:
    """Find the role in a task definition: by its ARN, its family and revision, or its family's newest revision."""
    family, _, revision = identifier.rpartition("/")[2].partition(":")
    revisions = ecs.task_definitions.get(family) or {}
    known = {str(number): definition for number, definition in revisions.items()}
    newest = max(known, key=int, default="")
    found = known.get(revision or newest)
    role = getattr(found, "task_role_arn" if kind == "task-role" else "execution_role_arn", None)
    return str(role) if role else None


_FINDERS: dict[tuple[str, str], Callable[[Any, str, str], str | None]] = {
    ("autoscaling", "autoScalingGroup"): _named("autoscaling_groups"),
    ("autoscaling", "launchConfiguration"): _named("launch_configurations"),
    ("cloudformation", "stack"): _named("stacks", arn="stack_id"),
    ("cloudformation", "stackset"): _named("stacksets"),
    ("codedeploy", "deployment"): _deployment_group,
    ("ecs", "task-role"): _task_role,
    ("ecs", "execution-role"): _task_role,
    ("efs", "mount-target"): _mounted,
    ("logs", "query"): _queried,
    ("sagemaker", "cluster"): _named("clusters", by="cluster_name", arn="arn"),
    ("config", "ConfigRule"): _named("config_rules", by="config_rule_name", arn="config_rule_arn"),
    ("config", "ConfigurationAggregator"): _named(
        "config_aggregators", by="configuration_aggregator_name", arn="configuration_aggregator_arn"
    ),
    ("config", "OrganizationConformancePack"): _named(
        "organization_conformance_packs",
        by="organization_conformance_pack_name",
        arn="organization_conformance_pack_arn",
    ),
    ("kms", "alias"): _alias,
    ("batch", "job-definition"): _job_definition,
    ("bedrock", "custom-model"): _named("custom_models", by="model_name", arn="model_arn"),
    ("bedrock", "model-customization-job"): _named("model_customization_jobs", by="job_name", arn="job_arn"),
    ("athena", "query"): _workgroup,
    ("athena", "result"): _query_result,
    ("mq", "brokers"): _broker,
    ("organizations", "*"): _organized,
    ("rds", "proxy"): _named("db_proxies", by="db_proxy_name"),
    ("ses", "identity"): _identity,
    ("secretsmanager", "Secret"): _secret,
    ("secretsmanager", "version"): _secret_version,
    ("servicediscovery", "*"): _service_of_namespace,
}


def is_findable(service: str, kind: str) -> bool:
    """Tell whether resources of a type can be looked up at all."""
    return (service, kind) in _FINDERS or (service, "*") in _FINDERS


def tags_of(backend: Backend, arn: str, *, account: str) -> Mapping[str, str]:
    """Give the tags of a resource of any service, as far as moto keeps them."""
    parts = arn.split(":", 5)
    if len(parts) < _ARN_PARTS or parts[4] not in ("", account):
        return {}
    name = _SERVICES.get(parts[2], parts[2])
    own = _OWN_TAGS.get(name)
    try:
        service = service_backend(backend, name, account=account, region=parts[3] or backend.region)
    except ImportError:
        # moto has no such service, or lacks a package for it: then nothing of it exists here.
        return {}
    if own is not None:
        return as_mapping(own(service, arn, parts[5]))
    for attribute in _TAGGERS:
        tagger = getattr(service, attribute, None)
        if tagger is not None:
            return dict(tagger.get_tag_dict_for_resource(arn))
    return {}


def as_mapping(tags: Any) -> Mapping[str, str]:
    """Read tags in any of moto's forms."""
    if isinstance(tags, dict):
        return {str(name): str(value["Value"] if isinstance(value, dict) else value) for name, value in tags.items()}
    found = {}
    for tag in tags or ():
        key = next(name for name in ("Key", "key", "TagKey") if name in tag)
        found[str(tag[key])] = str(tag.get(key.replace("Key", "Value").replace("key", "value"), ""))
    return found


def _attribute(held: Mapping[str, Any], name: str, attribute: str = "tags") -> Any:
    found = held.get(name)
    return getattr(found, attribute, None)


def _matching(*held: str) -> Callable[[Any, str, str], Any]:
    """Make a reader of the tags of whichever resource, in a backend's mappings, has the ARN."""

    def read(service: Any, arn: str, _: str) -> Any:
        for attribute in held:
            entries = getattr(service, attribute)
            for each in list(entries.values()):
                if str(getattr(each, "arn", "")) == arn:
                    return each.tags
        return None

    return read


def _parameter(ssm: Any, _: str, tail: str) -> Any:
    kind, _, name = tail.partition("/")
    known = {"parameter": "Parameter", "document": "Document", "maintenancewindow": "MaintenanceWindow"}
    tags = ssm._resource_tags.get(known.get(kind, ""), {})  # noqa: SLF001 - moto offers no read that makes no entry
    return tags.get(name) or tags.get(f"/{name}")


_OWN_TAGS: dict[str, Callable[[Any, str, str], Any]] = {
    "acm": lambda service, arn, _: _attribute(service._certificates, arn),  # noqa: SLF001 - moto's read raises for none
    "autoscaling": lambda service, _, tail: _attribute(service.autoscaling_groups, tail.rpartition("/")[2]),
    "cloudformation": lambda service, arn, _: _attribute(service.stacks, arn),
    "ecs": _matching("clusters", "services"),
    "efs": lambda service, _, tail: service.tagging_service.get_tag_dict_for_resource(tail.rpartition("/")[2]),
    "eks": lambda service, _, tail: (
        _attribute(service.clusters, tail.rpartition("/")[2]) if "cluster/" in tail else None
    ),
    "kinesis": lambda service, _, tail: _attribute(service.streams, tail.rpartition("/")[2]),
    "kms": lambda service, _, tail: service.tagger.get_tag_dict_for_resource(tail.rpartition("/")[2]),
    "lambda": lambda service, arn, _: getattr(service._lambdas._arns.get(arn), "tags", None),  # noqa: SLF001 - as above
    "logs": lambda service, arn, _: service.tagger.get_tag_dict_for_resource(arn.partition(":log-stream:")[0]),
    "rds": _matching("databases", "clusters", "database_snapshots", "cluster_snapshots"),
    "route53": lambda service, _, tail: service.resource_tags.get(tail.rpartition("/")[2]),
    "secretsmanager": lambda service, arn, _: getattr(service.secrets.get(arn), "tags", None),
    "sns": lambda service, arn, _: _attribute(service.topics, arn, "_tags"),
    "sqs": lambda service, _, tail: _attribute(service.queues, tail),
    "ssm": _parameter,
}
