"""The metrics of five services, with the dimension sets under which AWS publishes them."""

from __future__ import annotations

Dimensions = frozenset[str]


def _sets(*groups: str) -> frozenset[Dimensions]:
    return frozenset(frozenset(group.split()) for group in groups)


_ACCOUNT = _sets("")
_FUNCTION = _sets("FunctionName", "FunctionName Resource", "FunctionName Resource ExecutedVersion")
_MAPPING = _sets(
    "FunctionName", "FunctionName Resource", "EventSourceMappingUUID", "FunctionName EventSourceMappingUUID"
)
_TABLE = _sets("TableName")
_INDEX = _sets("TableName", "TableName GlobalSecondaryIndexName")
_CONSUMER = _INDEX | _sets("TableName Source", "TableName GlobalSecondaryIndexName Source")
_OPERATION = _sets("TableName Operation")
_REPLICA = _sets("TableName ReceivingRegion")
_STREAM = _sets("TableName Operation StreamLabel")
_STREAM_TARGET = _sets("TableName DelegatedOperation")
_STORED = _sets("BucketName StorageType")
_REQUESTS = _sets("BucketName FilterId")
_REPLICATED = _sets("SourceBucket DestinationBucket RuleId")
_REST = _sets("ApiName", "ApiName Stage", "ApiName Method Resource Stage")
_HTTP = _sets("ApiId", "ApiId Stage", "ApiId Method Resource Stage")
_WEBSOCKET = _sets("ApiId", "ApiId Stage", "ApiId Stage Route")


def _table(groups: dict[str, frozenset[Dimensions]]) -> dict[str, frozenset[Dimensions]]:
    return {name: sets for names, sets in groups.items() for name in names.split()}


# Namespace -> metric -> dimension sets. An alarm without dimensions on a function metric would include every
# function of the account, so the empty set is only allowed where AWS publishes a metric of the account.
PUBLISHED = {
    # AWS Lambda Developer Guide, "Types of metrics for Lambda functions", read 2026-11. Its page "Viewing metrics for
    # Lambda functions" names the dimensions one by one. This table assumes FunctionName in each set.
    "AWS/Lambda": _table(
        {
            "Invocations Errors Throttles Duration PostRuntimeExtensionsDuration": _FUNCTION,
            "CPUThrottles MemoryThrottles DiskThrottles ConcurrencyThrottles": _FUNCTION,
            "ProvisionedConcurrencyInvocations ProvisionedConcurrencySpilloverInvocations": _FUNCTION,
            "ProvisionedConcurrentExecutions ProvisionedConcurrencyUtilization": _FUNCTION,
            "DeadLetterErrors DestinationDeliveryFailures RecursiveInvocationsDropped": _FUNCTION,
            "AsyncEventsReceived AsyncEventAge AsyncEventsDropped OversizedRecordCount": _FUNCTION,
            "SignatureValidationErrors": _FUNCTION,
            "IteratorAge OffsetLag": _FUNCTION | _MAPPING,
            "PolledEventCount FilteredOutEventCount InvokedEventCount FailedInvokeEventCount": _MAPPING,
            "DroppedEventCount OnFailureDestinationDeliveredEventCount DeletedEventCount": _MAPPING,
            "CommittedEventCount PollingErrorCount InvokeErrorCount SchemaRegistryErrorCount": _MAPPING,
            "OnFailureDestinationDeliveryErrorCount CommitErrorCount MaxOffsetLag SumOffsetLag": _MAPPING,
            "ProvisionedPollers EventPollerUnit EventPollerThroughputInBytes": _MAPPING,
            "ConcurrentExecutions": _FUNCTION | _ACCOUNT,
            "UnreservedConcurrentExecutions ClaimedAccountConcurrency": _ACCOUNT,
        }
    ),
    # Amazon SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS", read 2026-11
    "AWS/SQS": _table(
        {
            "ApproximateAgeOfOldestMessage ApproximateNumberOfMessagesVisible": _sets("QueueName"),
            "ApproximateNumberOfMessagesNotVisible ApproximateNumberOfMessagesDelayed": _sets("QueueName"),
            "ApproximateNumberOfGroupsWithInflightMessages NumberOfDeduplicatedSentMessages": _sets("QueueName"),
            "NumberOfEmptyReceives NumberOfMessagesDeleted NumberOfMessagesReceived": _sets("QueueName"),
            "NumberOfMessagesSent SentMessageSize": _sets("QueueName"),
            "ApproximateNumberOfNoisyGroups ApproximateAgeOfOldestMessageInQuietGroups": _sets("QueueName"),
            "ApproximateNumberOfMessagesVisibleInQuietGroups": _sets("QueueName"),
            "ApproximateNumberOfMessagesNotVisibleInQuietGroups": _sets("QueueName"),
            "ApproximateNumberOfMessagesDelayedInQuietGroups": _sets("QueueName"),
        }
    ),
    # Amazon DynamoDB Developer Guide, "DynamoDB metrics and dimensions", read 2026-11
    "AWS/DynamoDB": _table(
        {
            "ConsumedReadCapacityUnits": _INDEX,
            "ConsumedWriteCapacityUnits": _CONSUMER,
            "ProvisionedReadCapacityUnits ProvisionedWriteCapacityUnits": _INDEX,
            "OnDemandMaxReadRequestUnits OnDemandMaxWriteRequestUnits": _INDEX,
            "OnlineIndexConsumedWriteCapacity OnlineIndexPercentageProgress OnlineIndexThrottleEvents": _INDEX,
            "ReadThrottleEvents WriteThrottleEvents": _INDEX,
            "ReadProvisionedThroughputThrottleEvents WriteProvisionedThroughputThrottleEvents": _INDEX,
            "ReadKeyRangeThroughputThrottleEvents WriteKeyRangeThroughputThrottleEvents": _INDEX,
            "ReadAccountLimitThrottleEvents WriteAccountLimitThrottleEvents": _INDEX,
            "ReadMaxOnDemandThroughputThrottleEvents WriteMaxOnDemandThroughputThrottleEvents": _INDEX,
            "ConditionalCheckFailedRequests TimeToLiveDeletedItemCount TransactionConflict": _TABLE,
            "ThrottledRequests FaultInjectionServiceInducedErrors": _OPERATION,
            "SystemErrors SuccessfulRequestLatency ReturnedItemCount": _OPERATION | _STREAM,
            "ReturnedBytes ReturnedRecordsCount": _STREAM,
            "PendingReplicationCount ReplicationLatency": _REPLICA,
            "AgeOfOldestUnreplicatedRecord FailedToReplicateRecordCount ThrottledPutRecordCount": _STREAM_TARGET,
            "ConsumedChangeDataCaptureUnits": _STREAM_TARGET,
            "UserErrors AccountMaxReads AccountMaxWrites": _ACCOUNT,
            "AccountMaxTableLevelReads AccountMaxTableLevelWrites": _ACCOUNT,
            "AccountProvisionedReadCapacityUtilization AccountProvisionedWriteCapacityUtilization": _ACCOUNT,
            "MaxProvisionedTableReadCapacityUtilization MaxProvisionedTableWriteCapacityUtilization": _ACCOUNT,
        }
    ),
    # Amazon S3 User Guide, "Metrics and dimensions", read 2026-11
    "AWS/S3": _table(
        {
            "BucketSizeBytes NumberOfObjects": _STORED,
            "AllRequests GetRequests PutRequests DeleteRequests HeadRequests PostRequests": _REQUESTS,
            "SelectRequests SelectBytesScanned SelectBytesReturned ListRequests": _REQUESTS,
            "BytesDownloaded BytesUploaded 4xxErrors 5xxErrors": _REQUESTS,
            "FirstByteLatency TotalRequestLatency": _REQUESTS,
            "ReplicationLatency BytesPendingReplication": _REPLICATED,
            "OperationsPendingReplication OperationsFailedReplication": _REPLICATED,
        }
    ),
    # API Gateway Developer Guide, "Monitor CloudWatch metrics for HTTP APIs", "Amazon API Gateway dimensions and
    # metrics" and "Monitor WebSocket API execution with CloudWatch metrics", read 2026-11
    "AWS/ApiGateway": _table(
        {
            "4XXError 5XXError CacheHitCount CacheMissCount": _REST,
            "4xx 5xx DataProcessed": _HTTP,
            "Count Latency": _REST | _HTTP,
            "IntegrationLatency": _REST | _HTTP | _WEBSOCKET,
            "ConnectCount MessageCount IntegrationError ClientError ExecutionError": _WEBSOCKET,
        }
    ),
}

# Published once a day, by bucket and storage class (S3 User Guide, same page).
DAILY = (("AWS/S3", "BucketSizeBytes"), ("AWS/S3", "NumberOfObjects"))
SECONDS_OF_A_DAY = 86_400

# The largest value of metrics with a maximum (same pages): shares are 0 to 1, percentages 0 to 100.
UPPER_BOUNDS = {
    ("AWS/Lambda", "ProvisionedConcurrencyUtilization"): 1.0,
    ("AWS/DynamoDB", "OnlineIndexPercentageProgress"): 100.0,
    ("AWS/DynamoDB", "AccountProvisionedReadCapacityUtilization"): 100.0,
    ("AWS/DynamoDB", "AccountProvisionedWriteCapacityUtilization"): 100.0,
    ("AWS/DynamoDB", "MaxProvisionedTableReadCapacityUtilization"): 100.0,
    ("AWS/DynamoDB", "MaxProvisionedTableWriteCapacityUtilization"): 100.0,
}

# Units of metrics (same pages); the unit of a metric that is not listed is not checked.
_UNITS = {
    "AWS/ApiGateway": {
        "Count": "Count 4XXError 5XXError 4xx 5xx CacheHitCount CacheMissCount",
        "Milliseconds": "Latency IntegrationLatency",
        "Bytes": "DataProcessed",
    },
    "AWS/DynamoDB": {
        "Count": "ReadThrottleEvents WriteThrottleEvents ThrottledRequests SystemErrors UserErrors TransactionConflict "
        "ConditionalCheckFailedRequests ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ReturnedItemCount",
        "Milliseconds": "SuccessfulRequestLatency",
    },
    "AWS/Lambda": {
        "Count": "Invocations Errors Throttles ConcurrentExecutions DeadLetterErrors DestinationDeliveryFailures "
        "AsyncEventsReceived AsyncEventsDropped ProvisionedConcurrencySpilloverInvocations",
        "Milliseconds": "Duration IteratorAge AsyncEventAge PostRuntimeExtensionsDuration",
    },
    "AWS/S3": {
        "Bytes": "BucketSizeBytes BytesDownloaded BytesUploaded",
        "Count": "NumberOfObjects AllRequests GetRequests PutRequests 4xxErrors 5xxErrors",
        "Milliseconds": "FirstByteLatency TotalRequestLatency",
    },
    "AWS/SQS": {
        "Count": "ApproximateNumberOfMessagesVisible ApproximateNumberOfMessagesNotVisible NumberOfMessagesSent "
        "ApproximateNumberOfMessagesDelayed NumberOfMessagesReceived NumberOfMessagesDeleted NumberOfEmptyReceives",
        "Seconds": "ApproximateAgeOfOldestMessage",
        "Bytes": "SentMessageSize",
    },
}
UNITS = {
    (namespace, name): unit
    for namespace, units in _UNITS.items()
    for unit, names in units.items()
    for name in names.split()
}
