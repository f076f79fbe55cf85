"""Where each bad template is bad, as in `expected.py`, from E9545."""

from __future__ import annotations

EXPECTED = {
    "E9545/bad": [
        "Resources.Anybody.Properties.Principal",
        "Resources.Open.Properties.Principal",
        "Resources.Url.Properties.AuthType",
    ],
    "E9546/bad": [
        "Resources.Odd.Properties.LockConfiguration.MinRetentionDays",
        "Resources.Odd.Properties.LockConfiguration.MaxRetentionDays",
        "Resources.Odd.Properties.LockConfiguration.ChangeableForDays",
        "Resources.Swapped.Properties.LockConfiguration.MaxRetentionDays",
        "Resources.Plan.Properties.BackupPlan.BackupPlanRule.0.Lifecycle.DeleteAfterDays",
        "Resources.Plan.Properties.BackupPlan.BackupPlanRule.1.Lifecycle.DeleteAfterDays",
        "Resources.Plan.Properties.BackupPlan.BackupPlanRule.1.StartWindowMinutes",
        "Resources.Plan.Properties.BackupPlan.BackupPlanRule.1.CompletionWindowMinutes",
        "Resources.Plan.Properties.BackupPlan.BackupPlanRule.2.Lifecycle",
    ],
    "E9547/bad": [
        "Resources.Selection.Properties.BackupSelection.Resources.0",
        "Resources.Selection.Properties.BackupSelection.Resources.0",
        "Resources.Plan",
    ],
    "E9548/bad": [
        "Resources.Itself.Properties.LoggingConfiguration.DestinationBucketName",
        "Resources.Bucket.Properties.LoggingConfiguration.DestinationBucketName",
        "Resources.Bucket.Properties.LoggingConfiguration.DestinationBucketName",
        "Resources.Bucket.Properties.LoggingConfiguration.DestinationBucketName",
    ],
    "E9549/bad": [
        "Resources.OnlyServices.Properties.KeyPolicy",
        "Resources.OnlyUse.Properties.KeyPolicy",
    ],
    "W9550/bad": [
        "Resources.Function.Properties.Timeout",
        "Resources.Short.Properties.Timeout",
        "Resources.OfRest.Properties.Timeout",
    ],
    "E9559/bad": [
        "Resources.Policy.Properties.PolicyDocument.Statement.0",
    ],
    "E9559/bad_account": [
        "Resources.Policy.Properties.PolicyDocument.Statement.0",
    ],
    "E9564/bad": [
        "Resources.Bucket.Properties.BucketName",
        "Resources.Function.Properties.FunctionName",
    ],
    "E9503/bad_alias": [
        "Resources.Bucket.Properties.NotificationConfiguration.LambdaConfigurations.0",
    ],
    "E9503/bad_custom_resource": [
        "Resources.Written",
    ],
    "E9501/bad_custom_resource": [
        "Resources.Written.Properties.LambdaFunctionConfigurations.1",
    ],
    "E9505/bad_unqualified": [
        "Resources.Integration.Properties.IntegrationUri",
    ],
    "E9505/bad_other_api": [
        "Resources.Integration.Properties.IntegrationUri",
    ],
    "E9510/bad_not_taken": [
        "Resources.A.Properties.RedrivePolicy",
        "Resources.B.Properties.RedrivePolicy",
        "Resources.C.Properties.RedrivePolicy",
        "Resources.Short.Properties.MessageRetentionPeriod",
    ],
    "E9557/bad_global_principal": [
        "Resources.Group.Properties.KmsKeyId",
    ],
    "E9557/bad_other_group": [
        "Resources.Group.Properties.KmsKeyId",
    ],
    "E9531/bad_arn_and_unit": [
        "Resources.Alarm0.Properties.Dimensions.0.Value",
        "Resources.Alarm1.Properties",
    ],
    "E9504/bad_denied": [
        "Resources.Rule.Properties.Targets.0.Arn",
    ],
    "E9565/bad_route": [
        "Resources.Function.Properties.VpcConfig",
    ],
    "E9565/bad_private_dns": [
        "Resources.Function.Properties.VpcConfig",
    ],
    "E9565/bad_hostnames": [
        "Resources.Function.Properties.VpcConfig",
    ],
    "E9565/bad_endpoint": [
        "Resources.Function.Properties.VpcConfig",
    ],
    "E9565/bad_port": [
        "Resources.Function.Properties.VpcConfig",
    ],
    "E9565/bad_egress": [
        "Resources.Function.Properties.VpcConfig",
        "Resources.Function.Properties.VpcConfig",
    ],
    "E9565/bad_cidr": [
        "Resources.Function.Properties.VpcConfig",
    ],
    "E9565/bad_apart": [
        "Resources.Function.Properties.VpcConfig",
    ],
    "E9591/bad": [
        "Resources.Table",
        "Resources.Function",
        "Resources.Group",
        "Resources.Group.Properties.SecurityGroupIngress.0",
    ],
    "E9592/bad": [
        "Resources.ImageProcessorFunction.Properties.Environment.Variables.SOURCE_BUCKET",
        "Resources.Role.Properties.Policies.0.PolicyDocument.Statement.0.Action.1",
        "Resources.Role.Properties.Policies.0.PolicyDocument.Statement.1.Action",
    ],
    "E9566/bad": [
        "Resources.B.Properties.RouteKey",
        "Resources.B.Properties.Target",
        "Resources.C.Properties.RouteKey",
        "Resources.Integration.Properties.IntegrationType",
        "Resources.Stage",
        "Resources.Stage.Properties.AccessLogSettings.DestinationArn",
    ],
    "E9593/bad_event": [
        "Resources.ImageProcessorFunction",
    ],
    "E9593/bad_bucket": [
        "Resources.ImageProcessorFunction",
    ],
    "E9593/bad_prefix": [
        "Resources.ImageProcessorFunction",
    ],
    "E9532/bad_inverted": [
        "Resources.Alarm0.Properties.ComparisonOperator",
        "Resources.Alarm1.Properties.Threshold",
    ],
    "E9533/bad_actions": [
        "Resources.Alarm0.Properties.AlarmActions.0",
        "Resources.Alarm0.Properties.AlarmActions.1",
    ],
    "E9546/bad_schedule": [
        "Resources.Plan.Properties.BackupPlan.BackupPlanRule.0.ScheduleExpression",
        "Resources.Plan.Properties.BackupPlan.BackupPlanRule.1.TargetBackupVault",
    ],
    "E9513/bad_arn": [
        "Resources.Policy.Properties.Queues.0",
    ],
    "E9518/bad_name": [
        "Resources.Written.Properties.BucketName",
    ],
    "W9550/bad_custom_resource": [
        "Resources.Written.Properties.ServiceTimeout",
    ],
    "E9592/bad_variables": [
        "Resources.ImageProcessorFunction.Properties.Environment.Variables.METADATA_TABLE",
        "Resources.ImageProcessorFunction.Properties.Environment.Variables.SNS_TOPIC_ARN",
    ],
    "E9567/bad": [
        "Resources.Budget.Properties.Budget.CostFilters.TagKeyValue.0",
        "Resources.Budget.Properties.Budget.CostFilters.TagKeyValue.1",
    ],
}
