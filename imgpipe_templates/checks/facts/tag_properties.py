"""Taggable resource types, with the property and the form of their tags.

Taken from the CloudFormation resource schemas (`tagging.taggable`, `tagging.tagProperty`) in cfn-lint 1.58.0 for the
services below; tests/checks compares the two, so a new version of the schemas shows its changes in a test. The
schemas themselves are not loaded, because a cached validation result needs no cfn-lint.
"""

from __future__ import annotations

# Service -> types whose `Tags` is a list of {Key, Value}.
_LISTS = {
    "ApiGateway": (
        "ApiKey ClientCertificate DomainName DomainNameAccessAssociation DomainNameV2 RestApi Stage UsagePlan VpcLink"
    ),
    "ApiGatewayV2": "PortalProduct",
    "Athena": "CapacityReservation DataCatalog WorkGroup",
    "Backup": "LegalHold RestoreTestingPlan",
    "CE": "CostCategory",
    "CertificateManager": "AcmeDomainValidation AcmeEndpoint AcmeExternalAccountBinding Certificate",
    "CloudFormation": "ChangeSet Stack StackSet",
    "CloudFront": (
        "ConnectionFunction ConnectionGroup Distribution DistributionTenant Function KeyValueStore TrustStore VpcOrigin"
    ),
    "CloudTrail": "Channel Dashboard EventDataStore Trail",
    "CloudWatch": "Alarm AlarmMuteRule CompositeAlarm Dashboard InsightRule Integration LogAlarm MetricStream View",
    "CodeDeploy": "Application DeploymentGroup",
    "DynamoDB": "Table",
    "EC2": (
        "ApplicationStatusCheck CapacityManagerDataExport CarrierGateway CustomerGateway DHCPOptions EIP "
        "EgressOnlyInternetGateway FlowLog FpgaImage Host IPAM IPAMPool IPAMPrefixListResolver "
        "IPAMPrefixListResolverTarget IPAMResourceDiscovery IPAMResourceDiscoveryAssociation IPAMScope "
        "IPv4Pool Instance InstanceConnectEndpoint InstanceEventWindow InternetGateway "
        "IpamExternalResourceVerificationToken IpamInternetRegistryAssociation KeyPair LocalGatewayRouteTable "
        "LocalGatewayRouteTableVPCAssociation LocalGatewayRouteTableVirtualInterfaceGroupAssociation "
        "LocalGatewayVirtualInterface LocalGatewayVirtualInterfaceGroup NatGateway NetworkAcl "
        "NetworkInsightsAccessScope NetworkInsightsAccessScopeAnalysis NetworkInsightsAnalysis "
        "NetworkInsightsPath NetworkInterface PlacementGroup PrefixList RouteServer RouteServerEndpoint "
        "RouteServerPeer RouteTable SecondaryNetwork SecurityGroup Subnet SubnetCidrReservation "
        "TrafficMirrorFilter TrafficMirrorFilterRule TrafficMirrorSession TrafficMirrorTarget TransitGateway "
        "TransitGatewayAttachment TransitGatewayConnect TransitGatewayConnectPeer "
        "TransitGatewayMeteringPolicy TransitGatewayMulticastDomain TransitGatewayPeeringAttachment "
        "TransitGatewayPolicyTable TransitGatewayRouteTable TransitGatewayVpcAttachment VPC "
        "VPCBlockPublicAccessExclusion VPCEncryptionControl VPCEndpoint VPCEndpointService "
        "VPCPeeringConnection VPNConcentrator VPNConnection VPNGateway VerifiedAccessEndpoint "
        "VerifiedAccessGroup VerifiedAccessInstance VerifiedAccessTrustProvider Volume"
    ),
    "ECR": "PublicRepository Repository",
    "Events": "EventBus Rule",
    "IAM": "OIDCProvider Role SAMLProvider ServerCertificate User",
    "KMS": "Key ReplicaKey",
    "Kinesis": "Channel Stream StreamConsumer",
    "KinesisFirehose": "DeliveryStream",
    "Lambda": (
        "CapacityProvider CodeSigningConfig EventSourceMapping Function MicrovmImage NetworkConnector WebFunction"
    ),
    "Logs": "Delivery DeliveryDestination DeliverySource Destination LogGroup ScheduledQuery",
    "S3": ("AccessGrant AccessGrantsInstance AccessGrantsLocation AccessPoint Bucket StorageLens StorageLensGroup"),
    "S3Tables": "Table TableBucket",
    "SNS": "Topic",
    "SQS": "Queue",
    "SSM": "Association CloudConnector Document MaintenanceWindow OpsItem PatchBaseline",
    "Scheduler": "ScheduleGroup",
    "SecretsManager": "Secret",
    "StepFunctions": "Activity StateMachine",
    "Synthetics": "Canary Group",
    "WAFv2": "IPSet RegexPatternSet RuleGroup WebACL",
    "XRay": "Group SamplingRule",
}

# Type -> property and form, if one of them differs from `Tags` as a list.
_OTHERS = {
    "AWS::ApiGatewayV2::Api": ("Tags", "map"),
    "AWS::ApiGatewayV2::DomainName": ("Tags", "map"),
    "AWS::ApiGatewayV2::Stage": ("Tags", "map"),
    "AWS::ApiGatewayV2::VpcLink": ("Tags", "map"),
    "AWS::Backup::BackupPlan": ("BackupPlanTags", "map"),
    "AWS::Backup::BackupVault": ("BackupVaultTags", "map"),
    "AWS::Backup::Framework": ("FrameworkTags", "list"),
    "AWS::Backup::LogicallyAirGappedBackupVault": ("BackupVaultTags", "map"),
    "AWS::Backup::ReportPlan": ("ReportPlanTags", "list"),
    "AWS::Backup::TieringConfiguration": ("TieringConfigurationTags", "map"),
    "AWS::Budgets::Budget": ("ResourceTags", "list"),
    "AWS::Budgets::BudgetsAction": ("ResourceTags", "list"),
    "AWS::CE::AnomalyMonitor": ("ResourceTags", "list"),
    "AWS::CE::AnomalySubscription": ("ResourceTags", "list"),
    "AWS::CloudFront::AnycastIpList": ("Tags", "map"),
    "AWS::Cognito::IdentityPool": ("IdentityPoolTags", "list"),
    "AWS::Cognito::UserPool": ("UserPoolTags", "map"),
    "AWS::Cognito::UserPoolRegionalConfigurationAttachment": ("UserPoolTags", "map"),
    "AWS::Cognito::UserPoolReplica": ("UserPoolTagsAtCreate", "map"),
    "AWS::EFS::AccessPoint": ("AccessPointTags", "list"),
    "AWS::EFS::FileSystem": ("FileSystemTags", "list"),
    "AWS::Pipes::Pipe": ("Tags", "map"),
    "AWS::Route53::HealthCheck": ("HealthCheckTags", "list"),
    "AWS::Route53::HostedZone": ("HostedZoneTags", "list"),
    "AWS::SSM::Parameter": ("Tags", "map"),
}

TAGGABLE: dict[str, tuple[str, str]] = {
    f"AWS::{service}::{name}": ("Tags", "list") for service, names in _LISTS.items() for name in names.split()
} | _OTHERS
