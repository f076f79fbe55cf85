"""Rules about what stands open: buckets, plain HTTP, web pages of any origin, tokens of any scope."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.deliveries import POLICY_OF, policy_statements
from imgpipe_templates.checks.model import Fault, Rule
from imgpipe_templates.checks.policies import (
    Statement,
    covers,
    identity_statements,
    may_do,
    resource_statements,
    statements,
)
from imgpipe_templates.checks.template import (
    BUCKET,
    KEY,
    QUEUE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping, places, split_arn

BUCKET_POLICY = "AWS::S3::BucketPolicy"
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
# What plain HTTP must not do: a denial of less leaves a way.
_SECRETS = {BUCKET: ("s3:GetObject", "s3:PutObject"), QUEUE: ("sqs:SendMessage",), TOPIC: ("sns:Publish",)}


def _wrong_resource(template: Template) -> Iterator[Fault]:
    """Faults of policies on a bucket, queue or topic that speak of another one."""
    yield from _by_arn(template)
    found = [statement for effect in ("Allow", "Deny") for statement in resource_statements(template, effect=effect)]
    for statement in found:
        owned = _owned(template, statement.owner)
        if not owned:
            continue
        for path, value in statement.listed("Resource"):
            name = _named(template.resolved(value))
            if name is not None and not any(_can_be(name, mine) for mine in owned):
                yield Fault(
                    path,
                    f"{statement.name} is about {name}, the policy is on {' and '.join(owned)}; "
                    "AWS refuses a policy about something else, so name what it is on",
                )


def _by_arn(template: Template) -> Iterator[Fault]:
    for policy in template.of_type("AWS::SQS::QueuePolicy"):
        for position, value in entries(policy.properties.get("Queues")):
            if template.resolved(value).startswith("arn:"):
                yield Fault(policy.at("Queues", *position), "is an ARN; a queue's policy names its URL, so use Ref")


def _owned(template: Template, policy: Resource) -> list[str]:
    """The names of what a policy is attached to; empty where this template does not say all of them."""
    if policy.type == BUCKET_POLICY:
        bucket = policy.properties.get("Bucket")
        return [template.resolved(bucket)] if isinstance(bucket, str) or template.decides(bucket) else []
    for kind, (policy_type, key, _) in POLICY_OF.items():
        if policy.type == policy_type:
            values = [canonical(value) for _, value in entries(policy.properties.get(key))]
            targets = [target for target in template.of_type(kind) if f"${{{target.id}}}" in values]
            return [template.name_of(target) for target in targets] if len(targets) == len(values) else []
    return []


def _named(text: str) -> str | None:
    """The bucket, queue or topic that an ARN names."""
    parts = split_arn(text)
    return parts[5].partition("/")[0] if parts else None


def _can_be(name: str, owned: str) -> bool:
    head, star, _ = name.partition("*")
    return name == owned or bool(star and owned.startswith(head))


def _open_bucket(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        properties = bucket.properties
        if "OwnershipControls" not in properties:
            yield Fault(
                bucket.path,
                "says nothing of who owns its objects; set OwnershipControls to BucketOwnerEnforced, which ends ACLs",
            )
        blocked = mapping(properties.get("PublicAccessBlockConfiguration"))
        missing = [name for name in _BLOCKS if canonical(blocked.get(name)) in ("", "false")]
        if missing:
            yield Fault(
                bucket.at("PublicAccessBlockConfiguration") if blocked else bucket.path,
                f"may become public; set {', '.join(missing)} in PublicAccessBlockConfiguration to true",
            )
        rules = mapping(properties.get("LifecycleConfiguration")).get("Rules")
        if not any("AbortIncompleteMultipartUpload" in mapping(rule) for _, rule in entries(rules)):
            yield Fault(
                bucket.path,
                "keeps, and bills, the parts of uploads that never ended; add a lifecycle rule with "
                "AbortIncompleteMultipartUpload",
            )


def _plain_http(template: Template) -> Iterator[Fault]:
    for bucket in template.of_type(BUCKET):
        arn = template.resolved({"Fn::GetAtt": [bucket.id, "Arn"]})
        denials = [
            statement
            for statement in resource_statements(template, BUCKET_POLICY, effect="Deny")
            if template.find(BUCKET, statement.owner.properties.get("Bucket")) is bucket
        ]
        named = [f"{arn}/key", *([arn] if template.profile.conventions else [])]
        if not all(_denied(template, bucket, denials, one) for one in named):
            yield _unencrypted(bucket, BUCKET_POLICY, "s3:*")
    for target in template.of_type(*POLICY_OF):
        denials = policy_statements(template, target, effect="Deny") or []
        policy_type, _, action = POLICY_OF[target.type]
        if not _denied(template, target, denials, template.arn_of(target)):
            yield _unencrypted(target, policy_type, action)


def _denied(template: Template, owner: Resource, denials: list[Statement], arn: str) -> bool:
    return any(
        _is_about_plain_http(statement)
        and all(may_do(statement, action) for action in _SECRETS[owner.type])
        and covers(template, statement, arn)
        for statement in denials
    )


def _is_about_plain_http(statement: Statement) -> bool:
    everybody = any(canonical(value) == "*" for _, _, value in statement.principals())
    return everybody and any(
        key == "aws:securetransport" and canonical(value).lower() == "false" for _, key, value in statement.conditions()
    )


def _unencrypted(resource: Resource, policy_type: str, action: str) -> Fault:
    return Fault(
        resource.path,
        f"takes requests over plain HTTP; add a statement to its {policy_type} that denies {action} to everybody where "
        "aws:SecureTransport is false",
    )


# Type -> where its lists of origins are; a * is every entry of a list.
_ORIGINS = {
    BUCKET: ("CorsConfiguration.CorsRules.*.AllowedOrigins",),
    "AWS::ApiGatewayV2::Api": ("CorsConfiguration.AllowOrigins",),
    "AWS::Lambda::Url": ("Cors.AllowOrigins",),
}


def _any_origin(template: Template) -> Iterator[Fault]:
    for resource in template.of_type(*_ORIGINS):
        for place in _ORIGINS[resource.type]:
            for path, value in places(resource.at(), resource.properties, place.split(".")):
                for position, origin in entries(value):
                    if template.with_defaults(canonical(origin)) == "*":
                        yield Fault(
                            (*path, *position),
                            "lets the scripts of every web page read what a visitor may; list the pages' origins",
                        )


def _any_scope(template: Template) -> Iterator[Fault]:
    for route in template.of_type("AWS::ApiGatewayV2::Route"):
        if canonical(route.properties.get("AuthorizationType")) == "JWT" and not any(
            True for _ in entries(route.properties.get("AuthorizationScopes"))
        ):
            yield Fault(
                route.path,
                "takes every token of the issuer, also those that are made to tell who somebody is; "
                "set AuthorizationScopes",
            )


def _for_everybody(template: Template) -> Iterator[Fault]:
    for permission in template.of_type("AWS::Lambda::Permission"):
        properties = permission.properties
        narrowed = any(
            key in properties for key in ("PrincipalOrgID", "SourceArn", "SourceAccount", "EventSourceToken")
        )
        by_iam = canonical(properties.get("FunctionUrlAuthType")) == "AWS_IAM"
        if canonical(properties.get("Principal")) == "*" and not narrowed and not by_iam:
            yield Fault(
                permission.at("Principal"),
                "allows every principal of every account to invoke the function; name one, or set PrincipalOrgID",
            )
    for url in template.of_type("AWS::Lambda::Url"):
        if canonical(url.properties.get("AuthType")) == "NONE":
            yield Fault(
                url.at("AuthType"),
                "allows every caller without authorization; use AWS_IAM, or an API with an authorizer",
            )


_ADMINISTERS = "kms:PutKeyPolicy"


def _unmanaged(template: Template) -> Iterator[Fault]:
    for key in template.of_type(KEY):
        if (
            canonical(key.properties.get("BypassPolicyLockoutSafetyCheck")) == "true"
            or "KeyPolicy" not in key.properties
        ):
            continue
        path = key.at("KeyPolicy")
        found = list(statements(key, path, key.properties["KeyPolicy"]))
        if not any(_may_manage(statement) for statement in found):
            yield Fault(
                path,
                f"allows {_ADMINISTERS} to no principal of the account, so KMS refuses the key; allow it to the "
                "account (root) or to a role",
            )


def _may_manage(statement: Statement) -> bool:
    persons = any(kind in ("AWS", "") for kind, _, _ in statement.principals())
    return persons and may_do(statement, _ADMINISTERS)


# Use of a key that only a service should make on a role's behalf (AWS KMS Developer Guide, "AWS KMS condition keys",
# kms:ViaService; read 2026-11).
_KEY_USES = ("kms:Decrypt", "kms:GenerateDataKey")


def _direct_use(template: Template) -> Iterator[Fault]:
    for statement in identity_statements(template):
        used = [action for action in _KEY_USES if may_do(statement, action)]
        through = any(
            key == "kms:viaservice" or key.startswith("kms:encryptioncontext") for _, key, _ in statement.conditions()
        )
        if used and not through and any(_is_kms(canonical(action)) for _, action in statement.listed("Action")):
            yield Fault(
                statement.path,
                f"{statement.name} allows {' and '.join(used)} of whatever was encrypted, not only by way of the "
                "service that holds it; add a Condition on kms:ViaService",
            )


def _is_kms(action: str) -> bool:
    return action.lower().startswith("kms:")


def _open_endpoint(template: Template) -> Iterator[Fault]:
    for endpoint in template.of_type("AWS::EC2::VPCEndpoint"):
        if "PolicyDocument" not in endpoint.properties:
            yield Fault(
                endpoint.path,
                "lets everything in the network reach every account's resources of the service; "
                "set PolicyDocument to what is needed",
            )


RULES = (
    Rule(
        "E9513",
        "Policy of a bucket, queue or topic that is about another",
        "S3, SQS and SNS refuse a policy whose Resource is not what the policy is on.",
        # Amazon S3 User Guide, "Policies and permissions in Amazon S3", read 2026-11
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html",
        _wrong_resource,
    ),
    Rule(
        "E9514",
        "Bucket without ownership, public access block or end of multipart uploads",
        "Account settings and defaults change; the template says that a bucket is private and forgets broken uploads.",
        # Amazon S3 User Guide, "Security best practices for Amazon S3", read 2026-11
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
        _open_bucket,
    ),
    Rule(
        "E9515",
        "Bucket, topic or queue open to plain HTTP",
        "Encryption at rest says nothing of the way there; only a policy refuses requests that are not made over TLS.",
        # Amazon SNS Developer Guide, "Amazon SNS preventative best practices", read 2026-11
        "https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html",
        _plain_http,
        absence=True,
    ),
    Rule(
        "E9581",
        "Bucket, API or function that answers web pages of any origin",
        "A browser keeps a page from reading what another site answers its visitor, unless that site allows all.",
        # Amazon S3 User Guide, "Using cross-origin resource sharing (CORS)", read 2026-11
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html",
        _any_origin,
    ),
    Rule(
        "E9582",
        "Route with tokens but without scopes",
        "Tokens of one issuer serve many purposes; without scopes an ID token opens the API as well.",
        # API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers in API Gateway", read 2026-11
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html",
        _any_scope,
    ),
    Rule(
        "E9545",
        "Function that every principal can invoke",
        "A permission for * or a function URL without authorization is public; the account pays for every call.",
        # AWS Lambda Developer Guide, "Control access to Lambda function URLs", read 2026-12
        "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
        _for_everybody,
    ),
    Rule(
        "E9549",
        "Key policy without an administrator",
        "KMS refuses a key policy that allows no principal to change it later.",
        # AWS KMS Developer Guide, "Key policies in AWS KMS", read 2026-12
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
        _unmanaged,
    ),
    Rule(
        "W9558",
        "Key that is used without a service",
        "Who may decrypt by himself reads copies that no bucket, table or queue guards any more.",
        # AWS KMS Developer Guide, "AWS KMS condition keys", read 2026-11
        "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html",
        _direct_use,
    ),
    Rule(
        "W9583",
        "VPC endpoint without a policy",
        "The default policy allows everything, also to carry data to a bucket of somebody else.",
        # AWS PrivateLink Guide, "Control access to VPC endpoints using endpoint policies", read 2026-11
        "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
        _open_endpoint,
    ),
)
