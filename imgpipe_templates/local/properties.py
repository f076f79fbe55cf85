"""Template properties that the engine's CloudFormation drops, put back through the services' own APIs.

Each function takes the resolved properties as CloudFormation names them and speaks the service's API, which keeps and
checks them as it does for any other caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Properties = Mapping[str, Any]
Client = Callable[[str], Any]


def put_back(kind: str, physical_id: str, properties: Properties, old: Properties, client: Client) -> None:
    """Give the service what CloudFormation kept from it.

    Args:
        kind: The CloudFormation type; types that are not in `PUT_BACK` are left alone.
        physical_id: What `Ref` returns.
        properties: The resolved properties.
        old: Those before an update, empty on creation.
        client: boto3 client by service name.
    """
    if kind in PUT_BACK:
        PUT_BACK[kind](physical_id, properties, old, client)


def _bucket(name: str, new: Properties, old: Properties, client: Client) -> None:
    s3 = client("s3")
    if lifecycle := new.get("LifecycleConfiguration"):
        rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    elif old.get("LifecycleConfiguration"):
        s3.delete_bucket_lifecycle(Bucket=name)
    if tags := new.get("Tags"):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{k: str(v) for k, v in tag.items()} for tag in tags]})
    if encryption := new.get("BucketEncryption"):
        rules = [_encryption_rule(rule) for rule in encryption["ServerSideEncryptionConfiguration"]]
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    if ownership := new.get("OwnershipControls"):
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=ownership)
    if (logging := new.get("LoggingConfiguration")) != old.get("LoggingConfiguration"):
        s3.put_bucket_logging(Bucket=name, BucketLoggingStatus=_logging(name, logging))


def _logging(name: str, configuration: Properties | None) -> dict[str, Any]:
    if not configuration:
        return {}
    to = configuration.get("DestinationBucketName", name)
    return {"LoggingEnabled": {"TargetBucket": to, "TargetPrefix": configuration.get("LogFilePrefix", "")}}


def _encryption_rule(rule: Properties) -> dict[str, Any]:
    names = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
    return {names.get(key, key): _truth(value) if key == "BucketKeyEnabled" else value for key, value in rule.items()}


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    spoken: dict[str, Any] = {"Status": rule["Status"], "Filter": _lifecycle_filter(rule)}
    if "Id" in rule:
        spoken["ID"] = rule["Id"]
    expiration: dict[str, Any] = {}
    if "ExpirationInDays" in rule:
        expiration["Days"] = int(rule["ExpirationInDays"])
    if "ExpirationDate" in rule:
        expiration["Date"] = rule["ExpirationDate"]
    if "ExpiredObjectDeleteMarker" in rule:
        expiration["ExpiredObjectDeleteMarker"] = _truth(rule["ExpiredObjectDeleteMarker"])
    if expiration:
        spoken["Expiration"] = expiration
    if "Transitions" in rule:
        spoken["Transitions"] = [_transition(one, "Days") for one in rule["Transitions"]]
    if "NoncurrentVersionTransitions" in rule:
        noncurrent = rule["NoncurrentVersionTransitions"]
        spoken["NoncurrentVersionTransitions"] = [_transition(one, "NoncurrentDays") for one in noncurrent]
    if "NoncurrentVersionExpiration" in rule:
        spoken["NoncurrentVersionExpiration"] = {k: int(v) for k, v in rule["NoncurrentVersionExpiration"].items()}
    if upload := rule.get("AbortIncompleteMultipartUpload"):
        spoken["AbortIncompleteMultipartUpload"] = {k: int(v) for k, v in upload.items()}
    return spoken


def _transition(one: Properties, days: str) -> dict[str, Any]:
    spoken: dict[str, Any] = {"StorageClass": one["StorageClass"]}
    if "TransitionInDays" in one:
        spoken[days] = int(one["TransitionInDays"])
    if "TransitionDate" in one:
        spoken["Date"] = one["TransitionDate"]
    if "NewerNoncurrentVersions" in one:
        spoken["NewerNoncurrentVersions"] = int(one["NewerNoncurrentVersions"])
    return spoken


def _lifecycle_filter(rule: Properties) -> dict[str, Any]:
    terms: dict[str, Any] = {}
    if "Prefix" in rule:
        terms["Prefix"] = rule["Prefix"]
    for size in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        if size in rule:
            terms[size] = int(rule[size])
    tags = list(rule.get("TagFilters") or [])
    if len(terms) + len(tags) > 1:
        return {"And": terms | ({"Tags": tags} if tags else {})}
    if tags:
        return {"Tag": tags[0]}
    return terms or {"Prefix": ""}


def _table(name: str, new: Properties, old: Properties, client: Client) -> None:
    dynamodb = client("dynamodb")
    if (recovery := new.get("PointInTimeRecoverySpecification")) != old.get("PointInTimeRecoverySpecification"):
        spoken: dict[str, Any] = {"PointInTimeRecoveryEnabled": False}
        if recovery:
            spoken["PointInTimeRecoveryEnabled"] = _truth(recovery["PointInTimeRecoveryEnabled"])
        if recovery and "RecoveryPeriodInDays" in recovery:
            spoken["RecoveryPeriodInDays"] = int(recovery["RecoveryPeriodInDays"])
        dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=spoken)
    if not old and (encryption := new.get("SSESpecification")):
        named = {key: encryption[key] for key in ("SSEType", "KMSMasterKeyId") if key in encryption}
        enabled = {"Enabled": _truth(encryption["SSEEnabled"])}
        dynamodb.update_table(TableName=name, SSESpecification=enabled | named)
    if (expiry := new.get("TimeToLiveSpecification")) != old.get("TimeToLiveSpecification"):
        wanted = expiry or {**old["TimeToLiveSpecification"], "Enabled": False}
        spoken = {"AttributeName": wanted["AttributeName"], "Enabled": _truth(wanted["Enabled"])}
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=spoken)


def _function(name: str, new: Properties, old: Properties, client: Client) -> None:
    functions = client("lambda")
    if new.get("DeadLetterConfig") != old.get("DeadLetterConfig"):
        wanted = new.get("DeadLetterConfig") or {"TargetArn": ""}
        functions.update_function_configuration(FunctionName=name, DeadLetterConfig=wanted)
    if new.get("KmsKeyArn") != old.get("KmsKeyArn"):
        functions.update_function_configuration(FunctionName=name, KMSKeyArn=new.get("KmsKeyArn", ""))
    if (reserved := new.get("ReservedConcurrentExecutions")) != old.get("ReservedConcurrentExecutions"):
        if reserved is None:
            functions.delete_function_concurrency(FunctionName=name)
        else:
            functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(reserved))


def _topic(arn: str, new: Properties, old: Properties, client: Client) -> None:
    if (key := new.get("KmsMasterKeyId")) != old.get("KmsMasterKeyId"):
        client("sns").set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key or "")


def _api(api_id: str, new: Properties, _old: Properties, client: Client) -> None:
    if cors := new.get("CorsConfiguration"):
        numbers = {"MaxAge": int(cors["MaxAge"])} if "MaxAge" in cors else {}
        client("apigatewayv2").update_api(ApiId=api_id, CorsConfiguration={**cors, **numbers})


def _stage(name: str, new: Properties, old: Properties, client: Client) -> None:
    if (settings := new.get("DefaultRouteSettings")) and settings != old.get("DefaultRouteSettings"):
        spoken = {key: _ROUTE_SETTINGS.get(key, str)(value) for key, value in settings.items()}
        client("apigatewayv2").update_stage(ApiId=new["ApiId"], StageName=name, DefaultRouteSettings=spoken)


def _truth(value: object) -> bool:
    """A boolean, which a parameter delivers as text."""
    return value if isinstance(value, bool) else str(value).lower() == "true"


_ROUTE_SETTINGS: Mapping[str, Callable[[Any], Any]] = {
    "DetailedMetricsEnabled": _truth,
    "DataTraceEnabled": _truth,
    "ThrottlingBurstLimit": int,
    "ThrottlingRateLimit": float,
}

PUT_BACK: Mapping[str, Callable[[str, Properties, Properties, Client], None]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::DynamoDB::Table": _table,
    "AWS::Lambda::Function": _function,
    "AWS::SNS::Topic": _topic,
    "AWS::ApiGatewayV2::Api": _api,
    "AWS::ApiGatewayV2::Stage": _stage,
}
