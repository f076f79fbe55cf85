"""Retrieval: the function and the HTTP API that answer questions about images, with signed links to the bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from awacs.aws import Statement
from pydantic import Field
from troposphere import GetAtt, If, Join, NoValue, Ref, apigatewayv2, awslambda, iam, logs

from imgpipe_templates import grants
from imgpipe_templates.configuration import Conflict, Range, Section, Unit
from imgpipe_templates.core.handles import Bucket, Function, HttpApi, Key, Table
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.parameters import SECURITY, ParameterSpec
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.browsers import allowed_origins
from imgpipe_templates.patterns.functions import (
    Architecture,
    FunctionPlan,
    FunctionSettings,
    LogRetentionDays,
    Runtime,
    add_function,
)
from imgpipe_templates.patterns.regions import SNAP_START, in_regions
from imgpipe_templates.patterns.roles import FunctionDefaults, add_role

# What an access log says of a request; nothing in it identifies what a link was signed with
# ("Customizing HTTP API access logs", API Gateway Developer Guide, read 2026-11).
_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "sourceIp": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "error": "$context.integrationErrorMessage",
}
# "PublishVersion", Description, AWS Lambda API Reference, read 2026-12.
MAX_VERSION_DESCRIPTION = 256
_ROUTES = {"ImageApiGetRoute": "GET /images/{id}", "ImageApiListRoute": "GET /images"}


class RetrievalConfig(Section):
    """The HTTP API that answers questions about images."""

    enabled: Annotated[bool, Field(description="Create the HTTP API.")] = False
    authorization: Annotated[
        Literal["iam", "jwt", "none"],
        Field(
            description="Authorization of requests: `iam`, callers with IAM permissions; `jwt`, callers with a token of"
            " the issuer in the template parameter, each for only their own images; `none`, all callers."
        ),
    ] = "iam"
    originals: Annotated[bool, Field(description="Include a link to the uploaded image in responses.")] = True
    url_expires_seconds: Annotated[int, Range(60, 900, "seconds"), Field(description="Expiry of pre-signed URLs.")] = (
        900
    )
    max_page_size: Annotated[
        int, Range(1, 100, "images"), Field(description="Maximum number of images in one response.")
    ] = 50
    max_requests_per_second: Annotated[
        int, Range(1, 10_000, "requests"), Field(description="Rate limit of the API's stage.")
    ] = 50
    max_burst_requests: Annotated[
        int, Range(1, 5_000, "requests"), Field(description="Burst limit of the API's stage.")
    ] = 100
    timeout_seconds: Annotated[int, Range(1, 30, "seconds"), Field(description="Timeout of one request.")] = 10
    memory_mb: Annotated[
        int,
        Range(128, 10_240, "MB"),
        Field(description="Memory of the function. Lambda assigns CPU in proportion to it."),
    ] = 512
    runtime: Annotated[Runtime, Field(description="Lambda runtime of the function.")] = "python3.13"
    architecture: Annotated[Architecture, Field(description="Instruction set of the function.")] = "arm64"
    reserved_concurrency: Annotated[
        int | None,
        Range(1, 1_000, "invocations"),
        Field(description="Reserved concurrency of the function, which is also its maximum."),
    ] = None
    provisioned_concurrency: Annotated[
        int | None,
        Range(1, 1_000, "environments"),
        Field(description="Number of execution environments that are always initialised, at a cost per hour."),
    ] = None
    snap_start: Annotated[
        bool,
        Field(
            description="Start execution environments from a snapshot of the initialised function. In Regions without "
            "SnapStart the function starts without a snapshot."
        ),
    ] = False
    log_retention_days: Annotated[
        LogRetentionDays, Unit("days"), Field(description="Retention of the function's and the API's logs.")
    ] = 30

    def conflicts(self) -> Iterator[Conflict]:
        """What Lambda refuses together."""
        if self.snap_start and self.provisioned_concurrency is not None:
            yield Conflict(
                ("snap_start", "provisioned_concurrency"),
                f"true and {self.provisioned_concurrency} exclude each other; expected one of them, "
                "because Lambda creates no snapshots of a version with provisioned concurrency",
            )
        if (
            self.provisioned_concurrency is not None
            and self.reserved_concurrency is not None
            and self.provisioned_concurrency > self.reserved_concurrency
        ):
            yield Conflict(
                ("provisioned_concurrency", "reserved_concurrency"),
                f"{self.provisioned_concurrency} is more than {self.reserved_concurrency}; "
                "expected provisioned_concurrency of at most reserved_concurrency",
            )


@dataclass(frozen=True)
class Retrieval:
    """What retrieval offers: the function and the API in front of it."""

    function: Function
    api: HttpApi
    timeout_seconds: int


@dataclass(frozen=True)
class Library:
    """What there is to be asked for.

    Attributes:
        images: The table.
        indexes: Its indexes.
        index_shards: Over how many partitions they spread a day.
        source: The uploads.
        thumbnails: The thumbnails; None where none are made.
        upload_prefix: Keys of uploads start with it.
        output_prefix: Keys of thumbnails start with it.
    """

    images: Table
    indexes: tuple[str, ...]
    index_shards: int
    source: Bucket
    thumbnails: Bucket | None
    upload_prefix: str
    output_prefix: str


def add_retrieval(
    scope: Scope, config: RetrievalConfig, shared: FunctionDefaults, *, library: Library, cors_origins: tuple[str, ...]
) -> Retrieval:
    """Add the function, which reads and signs reads and nothing else, and the API in front of it."""
    plan = FunctionPlan(
        "ImageRetrieval",
        package="retrieval_api",
        description="Answers questions about images with signed links",
        permissions=_permissions(config, library),
        environment=_environment(config, library),
        settings=FunctionSettings(
            runtime=config.runtime,
            architecture=config.architecture,
            timeout_seconds=config.timeout_seconds,
            memory_mb=config.memory_mb,
            log_retention_days=config.log_retention_days,
            reserved_concurrency=config.reserved_concurrency,
        ),
        services=("dynamodb", "lambda", "s3"),
    )
    function = add_function(scope, plan, shared)
    target = _published(scope, config, function)
    api = _add_api(scope, config, target, cors_origins, shared)
    scope.output("ImageRetrievalFunctionArn", function.arn, "Function that answers questions about images")
    scope.output("ImageRetrievalFunctionName", function.name, "Name of the function that answers")
    scope.output("ImageApiId", api.id, "Id of the API")
    scope.output("ImageApiUrl", api.endpoint, "Address of the API, to which /images is added")
    return Retrieval(function, api, config.timeout_seconds)


def _permissions(config: RetrievalConfig, library: Library) -> list[Statement]:
    may = [grants.get_items(library.images)]
    if library.indexes:
        may.append(grants.query_indexes(library.images, library.indexes))
    if library.thumbnails:
        may.append(grants.show_objects(library.thumbnails, library.output_prefix))
    if config.originals:
        may.append(grants.show_versions(library.source, library.upload_prefix))
    return may


def _environment(config: RetrievalConfig, library: Library) -> dict[str, Value]:
    environment: dict[str, Value] = {
        "INDEXES": ",".join(library.indexes),
        "INDEX_SHARDS": str(library.index_shards),
        "MAX_PAGE_SIZE": str(config.max_page_size),
        "METADATA_TABLE": library.images.name,
        "URL_EXPIRES_SECONDS": str(config.url_expires_seconds),
    }
    if config.authorization == "jwt":
        environment["OWN_IMAGES_ONLY"] = "true"
    if config.originals:
        environment["SOURCE_BUCKET"] = library.source.name
    if library.thumbnails:
        environment["THUMBNAIL_BUCKET"] = library.thumbnails.name
    return environment


def _published(scope: Scope, config: RetrievalConfig, function: Function) -> Value:
    """The ARN that the API invokes: an alias of a version where environments are prepared, else the function itself."""
    resource = scope.stack.template.resources[function.title]
    if config.snap_start:
        available = in_regions(scope, "RegionHasSnapStart", SNAP_START)
        resource.SnapStart = If(available, awslambda.SnapStart(ApplyOn="PublishedVersions"), NoValue)
    elif config.provisioned_concurrency is None:
        return function.arn
    # A version is published when it is created; a changed description, which contains the code key, creates a new one.
    code_key = scope.stack.template.parameters["ImageRetrievalCodeKey"]
    code_key.MaxLength = MAX_VERSION_DESCRIPTION
    version = scope.add(
        awslambda.Version("ImageRetrievalVersion", Description=Ref(code_key), FunctionName=function.name)
    )
    alias = awslambda.Alias(
        "ImageRetrievalAlias",
        FunctionName=function.name,
        FunctionVersion=GetAtt(version, "Version"),
        Name="live",
    )
    if config.provisioned_concurrency is not None:
        alias.ProvisionedConcurrencyConfig = awslambda.ProvisionedConcurrencyConfiguration(
            ProvisionedConcurrentExecutions=config.provisioned_concurrency
        )
    return Ref(scope.add(alias))


def _add_api(
    scope: Scope, config: RetrievalConfig, function_arn: Value, cors_origins: tuple[str, ...], shared: FunctionDefaults
) -> HttpApi:
    api = apigatewayv2.Api(
        "ImageApi", Description="Images and their thumbnails", Name=scope.names.value("ImageApi"), ProtocolType="HTTP"
    )
    if cors_origins:
        api.CorsConfiguration = apigatewayv2.Cors(
            AllowHeaders=["authorization", "content-type", "x-amz-date", "x-amz-security-token"],
            AllowMethods=["GET"],
            AllowOrigins=scope.parameter(allowed_origins(cors_origins)),
            MaxAge=3600,
        )
    handle = HttpApi.of(scope, api)
    role = _add_caller(scope, function_arn, shared)
    integration = scope.add(
        apigatewayv2.Integration(
            "ImageApiIntegration",
            ApiId=Ref(api),
            CredentialsArn=GetAtt(role, "Arn"),
            IntegrationType="AWS_PROXY",
            IntegrationUri=function_arn,
            PayloadFormatVersion="2.0",
        )
    )
    authorizer = _add_authorizer(scope, api) if config.authorization == "jwt" else None
    for title, key_of_route in _ROUTES.items():
        route = apigatewayv2.Route(
            title, ApiId=Ref(api), RouteKey=key_of_route, Target=Join("/", ["integrations", Ref(integration)])
        )
        route.AuthorizationType = {"iam": "AWS_IAM", "jwt": "JWT", "none": "NONE"}[config.authorization]
        if authorizer:
            route.AuthorizerId = Ref(authorizer)
            route.AuthorizationScopes = ["images/read"]
        scope.add(route)
    _add_stage(scope, config, api, shared.key)
    return handle


def _add_caller(scope: Scope, function_arn: Value, shared: FunctionDefaults) -> iam.Role:
    """The role with which the API invokes the function: no permission on the function has to name an API's ARN."""
    return add_role(
        scope,
        "ImageApi",
        "apigateway.amazonaws.com",
        "Lets the API invoke the function that answers for it",
        [grants.invoke(function_arn)],
        shared,
    )


def _add_authorizer(scope: Scope, api: apigatewayv2.Api) -> apigatewayv2.Authorizer:
    issuer = scope.parameter(
        _text_parameter("JwtIssuer", "Issuer of tokens", "Address of the issuer of the tokens that callers show")
    )
    audience = scope.parameter(
        _text_parameter("JwtAudience", "Audience of tokens", "What a token must be meant for, such as a client id")
    )
    return scope.add(
        apigatewayv2.Authorizer(
            "ImageApiAuthorizer",
            ApiId=Ref(api),
            AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration=apigatewayv2.JWTConfiguration(Audience=[audience], Issuer=issuer),
            Name="callers",
        )
    )


def _add_stage(scope: Scope, config: RetrievalConfig, api: apigatewayv2.Api, key: Key | None) -> None:
    group = logs.LogGroup("ImageApiLogGroup", RetentionInDays=config.log_retention_days)
    if key:
        group.KmsKeyId = key.arn
    group.DeletionPolicy = "Delete"
    group.UpdateReplacePolicy = "Delete"
    scope.add(group)
    scope.add(
        apigatewayv2.Stage(
            "ImageApiStage",
            AccessLogSettings=apigatewayv2.AccessLogSettings(
                DestinationArn=GetAtt(group, "Arn"), Format=json.dumps(_ACCESS_LOG)
            ),
            ApiId=Ref(api),
            AutoDeploy=True,
            DefaultRouteSettings=apigatewayv2.RouteSettings(
                DetailedMetricsEnabled=True,
                ThrottlingBurstLimit=config.max_burst_requests,
                ThrottlingRateLimit=config.max_requests_per_second,
            ),
            StageName="$default",
        )
    )


def _text_parameter(title: str, label: str, description: str) -> ParameterSpec:
    return ParameterSpec(title, SECURITY, label, {"Type": "String", "Description": description, "MinLength": 1})
