"""Rules about KMS keys: administrators of a key policy, and use of a key without a service."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.facts.allowed_actions import covers_action
from imgpipe_templates.checks.facts.expressions import canonical
from imgpipe_templates.checks.facts.policy_statements import Statement, identity_statements, statements_in
from imgpipe_templates.checks.facts.template import KEY, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

_ADMINISTRATOR_ACTION = "kms:PutKeyPolicy"


@template_rule(
    "E9549",
    "Key policy without an administrator",
    "KMS rejects a key policy that allows no principal to change it later.",
    # AWS KMS Developer Guide, "Key policies in AWS KMS", read 2026-12
    "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
)
def key_policy_without_administrator(template: Template) -> Iterator[Violation]:
    for key in template.of_type(KEY):
        if (
            canonical(key.properties.get("BypassPolicyLockoutSafetyCheck")) == "true"
            or "KeyPolicy" not in key.properties
        ):
            continue
        path = key.at("KeyPolicy")
        found = list(statements_in(key, path, key.properties["KeyPolicy"]))
        if not any(_allows_administrator(statement) for statement in found):
            yield Violation(
                path,
                f"no principal of the account has {_ADMINISTRATOR_ACTION}, so KMS rejects the key; allow it to the "
                "account (root) or to a role",
            )


def _allows_administrator(statement: Statement) -> bool:
    is_iam_principal = any(kind in ("AWS", "") for kind, _, _ in statement.principals())
    return is_iam_principal and covers_action(statement, _ADMINISTRATOR_ACTION)


# Actions that a role should use through a service only (AWS KMS Developer Guide, "AWS KMS condition keys",
# kms:ViaService; read 2026-11).
_KEY_USES = ("kms:Decrypt", "kms:GenerateDataKey")


@template_rule(
    "W9558",
    "KMS key use without kms:ViaService",
    "A principal with direct kms:Decrypt can read copies that no bucket, table or queue policy protects.",
    # AWS KMS Developer Guide, "AWS KMS condition keys", read 2026-11
    "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html",
)
def key_use_without_service(template: Template) -> Iterator[Violation]:
    for statement in identity_statements(template):
        used = [action for action in _KEY_USES if covers_action(statement, action)]
        is_limited = any(
            key == "kms:viaservice" or key.startswith("kms:encryptioncontext") for _, key, _ in statement.conditions()
        )
        if used and not is_limited and any(_is_kms(canonical(action)) for _, action in statement.listed("Action")):
            yield Violation(
                statement.path,
                f"{statement.name} allows {' and '.join(used)} of any data, not only through the service that stores "
                "it; add a Condition on kms:ViaService",
            )


def _is_kms(action: str) -> bool:
    return action.lower().startswith("kms:")
