"""Rules about public access: buckets, plain HTTP, CORS, token scopes, public functions, VPC endpoints."""

from __future__ import annotations

from collections.abc import Iterator

from imgpipe_templates.checks.facts.allowed_actions import covers_action, covers_resource
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping, values_at
from imgpipe_templates.checks.facts.invocations import PERMISSION
from imgpipe_templates.checks.facts.policy_statements import BUCKET_POLICY, Statement, resource_statements
from imgpipe_templates.checks.facts.service_deliveries import POLICY_OF, target_statements
from imgpipe_templates.checks.facts.template import BUCKET, QUEUE, TOPIC, Resource, Template
from imgpipe_templates.checks.findings import Violation
from imgpipe_templates.checks.rule import template_rule

_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
# Actions that must be denied over plain HTTP.
_DENIED_OVER_HTTP = {BUCKET: ("s3:GetObject", "s3:PutObject"), QUEUE: ("sqs:SendMessage",), TOPIC: ("sns:Publish",)}


@template_rule(
    "E9514",
    "Bucket without object ownership, public access block or multipart cleanup",
    "Account defaults can change; the template itself must keep the bucket private and delete incomplete uploads.",
    # Amazon S3 User Guide, "Security best practices for Amazon S3", read 2026-11
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
)
def bucket_without_protections(template: Template) -> Iterator[Violation]:
    for bucket in template.of_type(BUCKET):
        properties = bucket.properties
        if "OwnershipControls" not in properties:
            yield Violation(
                bucket.path,
                "has no object ownership; set OwnershipControls to BucketOwnerEnforced, which disables ACLs",
            )
        blocked = mapping(properties.get("PublicAccessBlockConfiguration"))
        missing = [name for name in _BLOCKS if canonical(blocked.get(name)) in ("", "false")]
        if missing:
            yield Violation(
                bucket.at("PublicAccessBlockConfiguration") if blocked else bucket.path,
                f"can become public; set {', '.join(missing)} in PublicAccessBlockConfiguration to true",
            )
        rules = mapping(properties.get("LifecycleConfiguration")).get("Rules")
        if not any("AbortIncompleteMultipartUpload" in mapping(rule) for _, rule in entries(rules)):
            yield Violation(
                bucket.path,
                "keeps, and bills, the parts of incomplete uploads; add a lifecycle rule with "
                "AbortIncompleteMultipartUpload",
            )


@template_rule(
    "E9515",
    "Bucket, topic or queue that accepts plain HTTP",
    "Encryption at rest does not protect data in transit; only a policy denies requests without TLS.",
    # Amazon SNS Developer Guide, "Amazon SNS preventative best practices", read 2026-11
    "https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html",
    absence=True,
)
def plain_http_allowed(template: Template) -> Iterator[Violation]:
    for bucket in template.of_type(BUCKET):
        arn = template.resolved({"Fn::GetAtt": [bucket.id, "Arn"]})
        denials = [
            statement
            for statement in resource_statements(template, BUCKET_POLICY, effect="Deny")
            if template.find(BUCKET, statement.owner.properties.get("Bucket")) is bucket
        ]
        arns = [f"{arn}/key", *([arn] if template.profile.conventions else [])]
        if not all(_is_denied(template, bucket, denials, one) for one in arns):
            yield _plain_http(bucket, BUCKET_POLICY, "s3:*")
    for target in template.of_type(*POLICY_OF):
        denials = target_statements(template, target, effect="Deny") or []
        policy_type, _, action = POLICY_OF[target.type]
        if not _is_denied(template, target, denials, template.arn_of(target)):
            yield _plain_http(target, policy_type, action)


def _is_denied(template: Template, owner: Resource, denials: list[Statement], arn: str) -> bool:
    return any(
        _denies_plain_http(statement)
        and all(covers_action(statement, action) for action in _DENIED_OVER_HTTP[owner.type])
        and covers_resource(template, statement, arn)
        for statement in denials
    )


def _denies_plain_http(statement: Statement) -> bool:
    is_for_everyone = any(canonical(value) == "*" for _, _, value in statement.principals())
    return is_for_everyone and any(
        key == "aws:securetransport" and canonical(value).lower() == "false" for _, key, value in statement.conditions()
    )


def _plain_http(resource: Resource, policy_type: str, action: str) -> Violation:
    return Violation(
        resource.path,
        f"accepts requests over plain HTTP; add a statement to its {policy_type} that denies {action} to every "
        "principal if aws:SecureTransport is false",
    )


# Type -> paths of its lists of origins; * means every entry of a list.
_ORIGINS = {
    BUCKET: ("CorsConfiguration.CorsRules.*.AllowedOrigins",),
    "AWS::ApiGatewayV2::Api": ("CorsConfiguration.AllowOrigins",),
    "AWS::Lambda::Url": ("Cors.AllowOrigins",),
}


@template_rule(
    "E9581",
    "CORS for any origin",
    "With the origin *, scripts of every web page can read the responses to its visitors.",
    # Amazon S3 User Guide, "Using cross-origin resource sharing (CORS)", read 2026-11
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html",
)
def cors_for_any_origin(template: Template) -> Iterator[Violation]:
    for resource in template.of_type(*_ORIGINS):
        for key in _ORIGINS[resource.type]:
            for path, value in values_at(resource.at(), resource.properties, key.split(".")):
                for position, origin in entries(value):
                    if template.with_defaults(canonical(origin)) == "*":
                        yield Violation(
                            (*path, *position),
                            "scripts of every web page can read the responses to a visitor; list the allowed origins",
                        )


@template_rule(
    "E9582",
    "JWT route without authorization scopes",
    "Tokens of one issuer serve many purposes; without scopes an ID token opens the API too.",
    # API Gateway Developer Guide, "Control access to HTTP APIs with JWT authorizers in API Gateway", read 2026-11
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html",
)
def jwt_route_without_scopes(template: Template) -> Iterator[Violation]:
    for route in template.of_type("AWS::ApiGatewayV2::Route"):
        if canonical(route.properties.get("AuthorizationType")) == "JWT" and not any(
            True for _ in entries(route.properties.get("AuthorizationScopes"))
        ):
            yield Violation(
                route.path,
                "accepts every token of the issuer, including ID tokens; set AuthorizationScopes",
            )


@template_rule(
    "E9545",
    "Publicly invocable function",
    "A permission for * or a function URL without authorization is public; the account pays for every call.",
    # AWS Lambda Developer Guide, "Control access to Lambda function URLs", read 2026-12
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
)
def public_function(template: Template) -> Iterator[Violation]:
    for permission in template.of_type(PERMISSION):
        properties = permission.properties
        is_limited = any(
            key in properties for key in ("PrincipalOrgID", "SourceArn", "SourceAccount", "EventSourceToken")
        )
        by_iam = canonical(properties.get("FunctionUrlAuthType")) == "AWS_IAM"
        if canonical(properties.get("Principal")) == "*" and not is_limited and not by_iam:
            yield Violation(
                permission.at("Principal"),
                "allows every principal of every account to invoke the function; set a principal, or PrincipalOrgID",
            )
    for url in template.of_type("AWS::Lambda::Url"):
        if canonical(url.properties.get("AuthType")) == "NONE":
            yield Violation(
                url.at("AuthType"),
                "accepts requests without authorization; use AWS_IAM, or an API with an authorizer",
            )


@template_rule(
    "W9583",
    "VPC endpoint without a policy",
    "The default policy allows every request, including copies of data to a bucket of another account.",
    # AWS PrivateLink Guide, "Control access to VPC endpoints using endpoint policies", read 2026-11
    "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
)
def vpc_endpoint_without_policy(template: Template) -> Iterator[Violation]:
    for endpoint in template.of_type("AWS::EC2::VPCEndpoint"):
        if "PolicyDocument" not in endpoint.properties:
            yield Violation(
                endpoint.path,
                "allows requests to the service's resources in every account; set PolicyDocument with the required "
                "actions",
            )
