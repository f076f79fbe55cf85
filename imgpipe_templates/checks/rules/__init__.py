"""All rules of the project; a module of this folder imports facts and never another rule module."""

from __future__ import annotations

from imgpipe_templates.checks.rule import Rule, StackRule
from imgpipe_templates.checks.rules import (
    alarm_thresholds,
    backup_plans,
    cloudformation_limits,
    cloudwatch_alarms,
    cross_stack_references,
    dashboard_bodies,
    delivery_permissions,
    event_patterns,
    function_logs,
    hard_coded_values,
    http_apis,
    key_policies,
    lambda_functions,
    missing_depends_on,
    physical_names,
    policy_scope,
    project_roles,
    promised_protections,
    public_access,
    resource_tags,
    role_permissions,
    s3_notifications,
    service_principals,
    sqs_queues,
    stored_data,
    upload_triggers,
    vpc_connectivity,
    wildcard_permissions,
)

_MODULES = (
    s3_notifications,
    upload_triggers,
    delivery_permissions,
    sqs_queues,
    event_patterns,
    stored_data,
    backup_plans,
    public_access,
    key_policies,
    lambda_functions,
    function_logs,
    cloudwatch_alarms,
    alarm_thresholds,
    dashboard_bodies,
    resource_tags,
    hard_coded_values,
    wildcard_permissions,
    service_principals,
    role_permissions,
    policy_scope,
    http_apis,
    missing_depends_on,
    vpc_connectivity,
    promised_protections,
    project_roles,
    cloudformation_limits,
    physical_names,
)

RULES = tuple(value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule))
STACK_RULES = tuple(value for value in vars(cross_stack_references).values() if isinstance(value, StackRule))
