"""Seams of resources: types that the engine's CloudFormation does not know, properties it drops, refusals it omits.

Reaches into the engine's private names, which seams.check_seams asserts.
"""

# ruff: noqa: SLF001 - see the module's description

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

from imgpipe_templates.local import permissions, properties

_BUCKET = "AWS::S3::Bucket"
_TABLE = "AWS::DynamoDB::Table"
_MAPPING = "AWS::Lambda::EventSourceMapping"
_FUNCTION = "AWS::Lambda::Function"
_INTEGRATION = "AWS::ApiGatewayV2::Integration"

# The engine's function that evaluates conditions, and every module that calls it by its own name for it.
EVALUATE_CONDITIONS = "_evaluate_conditions"
CONDITION_MODULES = tuple(
    f"ministack.services.cloudformation.{name}" for name in ("engine", "stacks", "changesets", "handlers")
)

# What Lambda needs of a function's role to feed it from a queue (AWS Lambda Developer Guide, "Using Lambda with
# Amazon SQS", "Permissions", read 2026-11).
_QUEUE_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


def install(client: Callable[..., Any], asker: permissions.Asker) -> None:
    """Complete the engine's CloudFormation.

    Args:
        client: boto3 client of the engine itself, as root, by service name.
        asker: Asks for a role's rights.
    """
    handlers = _module("ministack.services.cloudformation.provisioners")._RESOURCE_HANDLERS
    handlers.setdefault("AWS::Backup::BackupSelection", {"create": _add_selection, "delete": _remove_selection})
    budget = {"create": _add_budget, "update": _change_budget, "delete": _remove_budget}
    handlers.setdefault("AWS::Budgets::Budget", budget)
    _keep_properties(handlers, client)
    _check_roles(handlers, asker)
    _keep_credentials(handlers)
    _guard(handlers, _BUCKET, _why_bucket_stays)
    _guard(handlers, _TABLE, _why_table_stays)
    _keep_attributes()
    _resolve_pseudo_parameters_in_conditions()
    stacks = _module("ministack.services.cloudformation.stacks")
    blocks = stacks._runs_on_worker_thread
    speaking = {*properties.PUT_BACK, _MAPPING}
    # Speaking to the engine from its own event loop would wait for ever.
    stacks._runs_on_worker_thread = lambda resource_type: resource_type in speaking or blocks(resource_type)


def _keep_attributes() -> None:
    """Keep what the resources of a nested stack told: its update forgets it where a resource stays or tells less."""
    provisioners = _module("ministack.services.cloudformation.provisioners")
    stacks = _module("ministack.services.cloudformation")._stacks
    update = provisioners._update_resource

    def updated(
        kind: str, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, title: str, *attributes: Any
    ) -> Any:
        if attributes:  # a stack that is not nested passes them
            return update(kind, physical_id, old, new, stack, title, *attributes)
        known = stacks[stack]["_resources"].get(title, {}).get("Attributes") or {}
        new_id, told = update(kind, physical_id, old, new, stack, title, known)
        return new_id, {**known, **told} if new_id == physical_id else told

    provisioners._update_resource = updated


def _resolve_pseudo_parameters_in_conditions() -> None:
    """Resolve pseudo parameters in conditions, as the engine does everywhere else."""
    scope = _module("ministack.core.responses")
    modules = [_module(name) for name in CONDITION_MODULES]
    engine_evaluation = getattr(modules[0], EVALUATE_CONDITIONS)

    def evaluate(template: dict[str, Any], params: dict[str, Any]) -> dict[str, bool]:
        # AWS::Partition as the engine resolves it in resources, whatever the Region.
        pseudo = {"Region": scope.get_region(), "AccountId": scope.get_account_id(), "Partition": "aws"}
        known = {f"AWS::{title}": {"Value": value} for title, value in pseudo.items()}
        evaluated: dict[str, bool] = engine_evaluation(template, {**known, **params})
        return evaluated

    for module in modules:
        setattr(module, EVALUATE_CONDITIONS, evaluate)


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _keep_properties(handlers: dict[str, Any], client: Callable[..., Any]) -> None:
    def wrap(kind: str) -> None:
        create, update = handlers[kind]["create"], handlers[kind]["update"]

        def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
            result = create(logical_id, props, stack_name)
            try:
                properties.put_back(kind, result[0], props, {}, client)
            except Exception:  # the service refused a value: the resource was never created
                handlers[kind]["delete"](result[0], props)
                raise
            return result

        def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], *names: str) -> Any:
            result = update(physical_id, old, new, *names)
            properties.put_back(kind, result[0], new, old if result[0] == physical_id else {}, client)
            return result

        handlers[kind] = {**handlers[kind], "create": created, "update": updated}

    for kind in properties.PUT_BACK:
        wrap(kind)


def _check_first(handlers: dict[str, Any], kind: str, check: Callable[[dict[str, Any]], None]) -> None:
    """Let `check` refuse a resource by its properties, before it is created or updated."""
    create, update = handlers[kind]["create"], handlers[kind]["update"]

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        check(props)
        return create(logical_id, props, stack_name)

    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], *names: str) -> Any:
        check(new)
        return update(physical_id, old, new, *names)

    handlers[kind] = {**handlers[kind], "create": created, "update": updated}


def _check_roles(handlers: dict[str, Any], asker: permissions.Asker) -> None:
    """Lambda takes no queue that the function's role may not read, and none for dead letters that it may not fill."""
    functions = _module("ministack.services.lambda_svc")

    def check_reader(props: dict[str, Any]) -> None:
        source = props.get("EventSourceArn", "")
        _record, config, _name = functions._get_func_record_for_ref(props.get("FunctionName", ""))
        if config is None or source.split(":")[2:3] != ["sqs"]:
            return
        for action in _QUEUE_ACTIONS:
            if not asker.role_allows(config["Role"], f"sqs:{action}", source):
                message = f"The function execution role does not have permissions to call {action} on SQS"
                raise ValueError(message)

    def check_writer(props: dict[str, Any]) -> None:
        target = (props.get("DeadLetterConfig") or {}).get("TargetArn", "")
        for service, action in (("sqs", "SendMessage"), ("sns", "Publish")):
            if target.split(":")[2:3] == [service] and not asker.role_allows(
                props["Role"], f"{service}:{action}", target
            ):
                called = f"{action} on {service.upper()}"
                message = f"The provided execution role does not have permissions to call {called}"
                raise ValueError(message)

    _check_first(handlers, _MAPPING, check_reader)
    _check_first(handlers, _FUNCTION, check_writer)


def _keep_credentials(handlers: dict[str, Any]) -> None:
    """Keep the role with which an API invokes its function."""
    create, update = handlers[_INTEGRATION]["create"], handlers[_INTEGRATION]["update"]

    def keep(integration: str, props: dict[str, Any]) -> None:
        known = _module("ministack.services.apigateway")._integrations[props["ApiId"]][integration]
        known["credentialsArn"] = props.get("CredentialsArn", "")

    def created(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        result = create(logical_id, props, stack_name)
        keep(result[0], props)
        return result

    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], *names: str) -> Any:
        result = update(physical_id, old, new, *names)
        keep(result[0], new)
        return result

    handlers[_INTEGRATION] = {**handlers[_INTEGRATION], "create": created, "update": updated}


def _guard(handlers: dict[str, Any], kind: str, why_not: Callable[[str], str]) -> None:
    delete = handlers[kind]["delete"]

    def refuse_or_delete(physical_id: str, props: dict[str, Any]) -> Any:
        if reason := why_not(physical_id):
            raise ValueError(reason)
        return delete(physical_id, props)

    handlers[kind] = {**handlers[kind], "delete": refuse_or_delete}


def _why_bucket_stays(name: str) -> str:
    s3 = _module("ministack.services.s3")
    if (s3._buckets.get(name) or {}).get("objects") or s3._bucket_has_versions(name):
        return f"The bucket you tried to delete is not empty (Service: S3, Status Code: 409): {name}"
    return ""


def _why_table_stays(name: str) -> str:
    table = _module("ministack.services.dynamodb")._tables.get(name) or {}
    if table.get("DeletionProtectionEnabled"):
        return (
            "Resource cannot be deleted as it is currently protected against deletion. "
            f"Disable deletion protection first. (Service: DynamoDb, Status Code: 400): {name}"
        )
    return ""


def _add_selection(_logical_id: str, props: dict[str, Any], _stack_name: str) -> tuple[str, dict[str, str]]:
    plan = props["BackupPlanId"]
    answer = _checked(_module("ministack.services.backup")._create_selection(plan, props))
    selection = answer["SelectionId"]
    # "Return values", AWS::Backup::BackupSelection, CloudFormation Template Reference, read 2026-11.
    attributes = {"Id": f"{selection}_{plan}", "SelectionId": selection, "BackupPlanId": plan}
    return f"{selection}_{plan}", attributes


def _remove_selection(physical_id: str, _props: dict[str, Any]) -> None:
    selection, plan = physical_id.split("_", 1)
    _module("ministack.services.backup")._delete_selection(plan, selection)


def _add_budget(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
    name = props["Budget"].get("BudgetName") or f"{stack_name}-{logical_id}"
    _checked(_module("ministack.services.budgets")._create_budget(_budget(name, props)))
    return name, {}


def _change_budget(
    physical_id: str, _old: dict[str, Any], new: dict[str, Any], stack_name: str
) -> tuple[str, dict[str, str]]:
    budgets = _module("ministack.services.budgets")
    if new["Budget"].get("BudgetName", physical_id) != physical_id:
        return _add_budget(physical_id, new, stack_name)
    budgets._delete_budget({"BudgetName": physical_id})
    _checked(budgets._create_budget(_budget(physical_id, new)))
    return physical_id, {}


def _remove_budget(physical_id: str, _props: dict[str, Any]) -> None:
    _module("ministack.services.budgets")._delete_budget({"BudgetName": physical_id})


def _budget(name: str, props: dict[str, Any]) -> dict[str, Any]:
    """The request of a template's budget, where numbers may have come as text."""
    budget = {**props["Budget"], "BudgetName": name}
    if limit := budget.get("BudgetLimit"):
        budget["BudgetLimit"] = {**limit, "Amount": str(limit["Amount"])}
    entries = [
        entry | {"Notification": entry["Notification"] | {"Threshold": float(entry["Notification"]["Threshold"])}}
        for entry in props.get("NotificationsWithSubscribers") or []
    ]
    tags = props.get("ResourceTags") or []
    return {"Budget": budget, "NotificationsWithSubscribers": entries, "ResourceTags": tags}


def _checked(response: tuple[int, Any, bytes]) -> dict[str, Any]:
    status, _headers, body = response
    answer: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:  # noqa: PLR2004 - HTTP's client errors
        message = str(answer.get("message") or answer.get("Message") or body)
        raise ValueError(message)
    return answer
