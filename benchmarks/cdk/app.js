// The resources of the preset `thumbnails` as an AWS CDK app: buckets, table, topic, queue, function, alarms.
const cdk = require("aws-cdk-lib");
const cloudwatch = require("aws-cdk-lib/aws-cloudwatch");
const actions = require("aws-cdk-lib/aws-cloudwatch-actions");
const dynamodb = require("aws-cdk-lib/aws-dynamodb");
const iam = require("aws-cdk-lib/aws-iam");
const lambda = require("aws-cdk-lib/aws-lambda");
const logs = require("aws-cdk-lib/aws-logs");
const s3 = require("aws-cdk-lib/aws-s3");
const sns = require("aws-cdk-lib/aws-sns");
const sqs = require("aws-cdk-lib/aws-sqs");

const app = new cdk.App();
const stack = new cdk.Stack(app, "Thumbnails");
cdk.Tags.of(stack).add("Project", "imgpipe");

const parameter = (id, properties) => new cdk.CfnParameter(stack, id, { type: "String", ...properties });
const suffix = parameter("EnvironmentSuffix", { default: "dev" }).valueAsString;
const codeBucket = parameter("CodeBucket");
const codeKey = parameter("ImageProcessorCodeKey", { default: "functions/processor.zip" });

const bucket = (id) =>
  new s3.Bucket(stack, id, {
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    encryption: s3.BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    versioned: true,
    lifecycleRules: [{ noncurrentVersionExpiration: cdk.Duration.days(30) }],
    removalPolicy: cdk.RemovalPolicy.RETAIN,
  });
const source = bucket("SourceBucket");
const thumbnails = bucket("ThumbnailBucket");
const images = new dynamodb.Table(stack, "ImageMetadataTable", {
  partitionKey: { name: "ImageID", type: dynamodb.AttributeType.STRING },
  billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  removalPolicy: cdk.RemovalPolicy.RETAIN,
});
images.addGlobalSecondaryIndex({
  indexName: "UploadTimestampIndex",
  partitionKey: { name: "UploadShard", type: dynamodb.AttributeType.STRING },
  sortKey: { name: "UploadTimestamp", type: dynamodb.AttributeType.STRING },
});
const topic = new sns.Topic(stack, "ProcessingNotificationTopic", { enforceSSL: true });
const deadLetters = new sqs.Queue(stack, "ProcessorDeadLetterQueue", { enforceSSL: true });

const processor = new lambda.Function(stack, "ImageProcessorFunction", {
  functionName: `ImageProcessor-${suffix}`,
  runtime: lambda.Runtime.PYTHON_3_13,
  architecture: lambda.Architecture.ARM_64,
  handler: "index.lambda_handler",
  code: lambda.Code.fromCfnParameters({ bucketNameParam: codeBucket, objectKeyParam: codeKey }),
  memorySize: 512,
  timeout: cdk.Duration.seconds(60),
  deadLetterQueue: deadLetters,
  environment: { THUMBNAIL_BUCKET: thumbnails.bucketName, METADATA_TABLE: images.tableName },
  logGroup: new logs.LogGroup(stack, "ImageProcessorLogGroup", { retention: logs.RetentionDays.ONE_MONTH }),
});
source.grantRead(processor);
thumbnails.grantPut(processor);
images.grantReadWriteData(processor);
processor.addPermission("S3MayInvoke", {
  principal: new iam.ServicePrincipal("s3.amazonaws.com"),
  sourceArn: source.bucketArn,
  sourceAccount: cdk.Aws.ACCOUNT_ID,
});

const alarm = (id, metric) =>
  new cloudwatch.Alarm(stack, id, { metric, threshold: 1, evaluationPeriods: 1 }).addAlarmAction(
    new actions.SnsAction(topic),
  );
alarm("LambdaErrorAlarm", processor.metricErrors());
alarm("LambdaThrottleAlarm", processor.metricThrottles());
alarm("LambdaDurationAlarm", processor.metricDuration());
alarm("DeadLetterQueueAlarm", deadLetters.metricApproximateNumberOfMessagesVisible());

for (const [id, value] of [
  ["SourceBucketName", source.bucketName],
  ["ThumbnailBucketName", thumbnails.bucketName],
  ["ImageMetadataTableName", images.tableName],
  ["ImageProcessorFunctionArn", processor.functionArn],
]) {
  new cdk.CfnOutput(stack, id, { value });
}
