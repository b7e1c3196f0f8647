"""One sample for each resource type: what it needs around it, itself, and a change that must reach it in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Resources = dict[str, Any]
ANYONE: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
SERVICES = [f"{each}.amazonaws.com" for each in ("lambda", "states", "scheduler", "glue", "apigateway", "firehose")]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": SERVICES}, "Action": "sts:AssumeRole"},
    ],
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
ALLOW_MORE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
ROLE_ARN = {"Fn::GetAtt": ["Role", "Arn"]}
BUCKET_ARN = {"Fn::GetAtt": ["Bucket", "Arn"]}


def of(type_: str, **properties: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties}


ROLE = of("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)
BUCKET = of("AWS::S3::Bucket")
QUEUE = of("AWS::SQS::Queue")
TOPIC = of("AWS::SNS::Topic")
KEY = of("AWS::KMS::Key", KeyPolicy=ANYONE)
FUNCTION = of(
    "AWS::Lambda::Function",
    Code={"ZipFile": "def handle(event, context): return 1"},
    Handler="index.handle",
    Role=ROLE_ARN,
    Runtime="python3.11",
)
NOTHING_ZIPPED = "PK\x05\x06" + 18 * "\0"  # CloudFormation itself takes a layer from S3 alone
STREAM = of("AWS::Kinesis::Stream", ShardCount=1)
OPENAPI = {
    "openapi": "3.0.1",
    "info": {"title": "sample", "version": "1"},
    "paths": {"/events": {"post": {"responses": {}, "x-amazon-apigateway-integration": {
        "type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:kinesis:action/PutRecords",
        "credentials": "arn:aws:iam::123456789012:role/sample", "passthroughBehavior": "never",
        "responses": {"default": {"statusCode": "200"}},
    }}}},
}  # fmt: skip
METRIC = {
    "MetricName": "age", "Namespace": "lake", "Period": 60, "Statistic": "Maximum", "EvaluationPeriods": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
SCHEDULE = {"FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "cron(0 3 * * ? *)"}
SUCCEED = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
ITEM_KEY = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
LIMIT = {"BudgetType": "COST", "TimeUnit": "MONTHLY"}
NOTIFY = {
    "Notification": {"ComparisonOperator": "GREATER_THAN", "NotificationType": "ACTUAL", "Threshold": 80},
    "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "a@example.com"}],
}


@dataclass(frozen=True)
class Sample:
    """A resource's properties, those that a change sets, the call that shows them, and where the change appears."""

    type: str
    given: dict[str, Any]
    change: dict[str, Any]
    around: Resources = field(default_factory=dict)
    look: tuple[str, str, dict[str, Any]] | None = None  # service, method, arguments; "{id}" is the physical id
    shows: str = ""


API = of("AWS::ApiGateway::RestApi", Name="sample-api", Body=OPENAPI)
DEPLOYMENT = of("AWS::ApiGateway::Deployment", RestApiId={"Ref": "Api"})
PLAN = of("AWS::ApiGateway::UsagePlan", UsagePlanName="sample-plan")
API_KEY = of("AWS::ApiGateway::ApiKey", Name="sample-key", Enabled=True)

LF_TAG = of("AWS::LakeFormation::Tag", TagKey="sample-around", TagValues=["one", "two"])
LF_DATABASE = of("AWS::Glue::Database", CatalogId="123456789012", DatabaseInput={"Name": "sample_tagged"})
OF_DATABASE = {"Database": {"CatalogId": "123456789012", "Name": {"Ref": "Database"}}}

SAMPLES = (
    Sample(
        "AWS::LakeFormation::Tag", {"TagKey": "sample", "TagValues": ["one", "two"]}, {"TagValues": ["one", "three"]},
        {}, ("lakeformation", "get_lf_tag", {"TagKey": "{id}"}), "three",
    ),
    Sample(
        "AWS::LakeFormation::Resource",
        {"ResourceArn": "arn:aws:s3:::sample-registered", "UseServiceLinkedRole": True, "HybridAccessEnabled": False},
        {"HybridAccessEnabled": True}, {},
        ("lakeformation", "describe_resource", {"ResourceArn": "{id}"}), "'HybridAccessEnabled': True",
    ),
    Sample(
        "AWS::LakeFormation::PrincipalPermissions",
        {"Principal": {"DataLakePrincipalIdentifier": ROLE_ARN}, "Resource": OF_DATABASE,
         "Permissions": ["DESCRIBE"], "PermissionsWithGrantOption": []},
        {"Permissions": ["ALTER"]}, {"Role": ROLE, "Database": LF_DATABASE},
        ("lakeformation", "list_permissions", {"ResourceType": "DATABASE"}), "'Permissions': ['ALTER']",
    ),
    Sample(
        "AWS::LakeFormation::TagAssociation",
        {"Resource": OF_DATABASE,
         "LFTags": [{"CatalogId": "123456789012", "TagKey": {"Ref": "Tag"}, "TagValues": ["one"]}]},
        {"LFTags": [{"CatalogId": "123456789012", "TagKey": {"Ref": "Tag"}, "TagValues": ["two"]}]},
        {"Tag": LF_TAG, "Database": LF_DATABASE},
        ("lakeformation", "get_resource_lf_tags", {"Resource": {"Database": {"Name": "sample_tagged"}}}), "two",
    ),
    Sample(
        "AWS::CloudTrail::Trail",
        {"TrailName": "sample-trail", "IsLogging": True, "S3BucketName": {"Ref": "Bucket"}, "S3KeyPrefix": "one",
         "AdvancedEventSelectors": [{"Name": "objects", "FieldSelectors": [
             {"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
         ]}], "Tags": [{"Key": "a", "Value": "1"}]},
        {"S3KeyPrefix": "two", "IsLogging": False, "Tags": [{"Key": "a", "Value": "2"}]}, {"Bucket": BUCKET},
        ("cloudtrail", "get_trail", {"Name": "{id}"}), "'S3KeyPrefix': 'two'",
    ),
    Sample(
        "AWS::ApiGateway::ApiKey", {"Name": "sample", "Enabled": False}, {"Enabled": True}, {},
        ("apigateway", "get_api_key", {"apiKey": "{id}"}), "'enabled': True",
    ),
    Sample(
        "AWS::ApiGateway::Deployment", {"RestApiId": {"Ref": "Api"}, "Description": "one"}, {"Description": "two"},
        {"Api": API},
    ),
    Sample(
        "AWS::ApiGateway::RestApi", {"Name": "sample", "Body": OPENAPI}, {"Description": "changed"}, {},
        ("apigateway", "get_rest_api", {"restApiId": "{id}"}), "changed",
    ),
    Sample(
        "AWS::ApiGateway::Stage",
        {"RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "sample",
         "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 1.5}]},
        {"TracingEnabled": True}, {"Api": API, "Deployment": DEPLOYMENT},
    ),
    Sample(
        "AWS::ApiGateway::UsagePlan", {"UsagePlanName": "sample", "Throttle": {"RateLimit": 5, "BurstLimit": 9}},
        {"Throttle": {"RateLimit": 7, "BurstLimit": 9}}, {},
        ("apigateway", "get_usage_plan", {"usagePlanId": "{id}"}), "'rateLimit': 7",
    ),
    Sample(
        "AWS::ApiGateway::UsagePlanKey",
        {"KeyId": {"Ref": "ApiKey"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
        {"KeyId": {"Ref": "Other"}},
        {"ApiKey": API_KEY, "Plan": PLAN, "Other": of("AWS::ApiGateway::ApiKey", Name="sample-other", Enabled=True)},
    ),
    Sample(
        "AWS::Athena::NamedQuery", {"Database": "d", "QueryString": "select 1"}, {"QueryString": "select 2"}, {},
        ("athena", "get_named_query", {"NamedQueryId": "{id}"}), "select 2",
    ),
    Sample(
        "AWS::Athena::WorkGroup",
        {"Name": "sample", "WorkGroupConfiguration": {"BytesScannedCutoffPerQuery": 10_000_000}},
        {"WorkGroupConfiguration": {"BytesScannedCutoffPerQuery": 20_000_000}}, {},
        ("athena", "get_work_group", {"WorkGroup": "{id}"}), "20000000",
    ),
    Sample(
        "AWS::Budgets::Budget",
        {"Budget": {**LIMIT, "BudgetLimit": {"Amount": 1, "Unit": "USD"}}, "NotificationsWithSubscribers": [NOTIFY]},
        {"Budget": {**LIMIT, "BudgetLimit": {"Amount": 7, "Unit": "USD"}}}, {},
        ("budgets", "describe_budget", {"AccountId": "123456789012", "BudgetName": "{id}"}), "'Amount': '7'",
    ),
    Sample("AWS::CDK::Metadata", {"Analytics": "v2:deflate64:one"}, {"Analytics": "v2:deflate64:two"}),
    Sample(
        "AWS::CloudWatch::Alarm", {**METRIC, "Threshold": 1}, {"Threshold": 2}, {},
        ("cloudwatch", "describe_alarms", {"AlarmNames": ["{id}"]}), "'Threshold': 2.0",
    ),
    Sample(
        "AWS::CloudWatch::CompositeAlarm", {"AlarmRule": "FALSE"}, {"AlarmRule": "TRUE"}, {},
        ("cloudwatch", "describe_alarms", {"AlarmNames": ["{id}"]}), "'AlarmRule': 'TRUE'",
    ),
    Sample(
        "AWS::CloudWatch::Dashboard", {"DashboardBody": '{"widgets":[]}'},
        {"DashboardBody": '{"widgets":[{"type":"text","properties":{"markdown":"new"}}]}'}, {},
        ("cloudwatch", "get_dashboard", {"DashboardName": "{id}"}), "new",
    ),
    Sample(
        "AWS::DynamoDB::GlobalTable",
        {**ITEM_KEY, "Replicas": [{"Region": "us-east-1", "DeletionProtectionEnabled": False}]},
        {"TimeToLiveSpecification": {"AttributeName": "gone", "Enabled": True}}, {},
        ("dynamodb", "describe_time_to_live", {"TableName": "{id}"}), "gone",
    ),
    Sample(
        "AWS::DynamoDB::Table", {**ITEM_KEY, "Tags": [{"Key": "a", "Value": "b"}]},
        {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}, {},
        ("dynamodb", "describe_continuous_backups", {"TableName": "{id}"}), "'PointInTimeRecoveryStatus': 'ENABLED'",
    ),
    Sample(
        "AWS::ECR::Repository", {"RepositoryName": "sample"}, {"ImageTagMutability": "IMMUTABLE"}, {},
        ("ecr", "describe_repositories", {"repositoryNames": ["{id}"]}), "IMMUTABLE",
    ),
    Sample(
        "AWS::Events::Rule",
        {"EventPattern": {"source": ["lake"]}, "Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]},
        {"EventPattern": {"source": ["sea"]}}, {"Queue": QUEUE}, ("events", "describe_rule", {"Name": "{id}"}), "sea",
    ),
    Sample(
        "AWS::Glue::Connection",
        {"CatalogId": "123456789012", "ConnectionInput": {
            "Name": "sample", "ConnectionType": "JDBC", "ConnectionProperties": {"JDBC_CONNECTION_URL": "one"}}},
        {"ConnectionInput": {
            "Name": "sample", "ConnectionType": "JDBC", "ConnectionProperties": {"JDBC_CONNECTION_URL": "two"}}}, {},
        ("glue", "get_connection", {"Name": "{id}"}), "two",
    ),
    Sample(
        "AWS::Glue::Crawler",
        {"Role": ROLE_ARN, "Targets": {"S3Targets": [{"Path": "s3://a/"}]},
         "Schedule": {"ScheduleExpression": "cron(0 1 * * ? *)"}},
        {"Description": "changed"}, {"Role": ROLE}, ("glue", "get_crawler", {"Name": "{id}"}), "changed",
    ),
    Sample(
        "AWS::Glue::Database", {"CatalogId": "123456789012", "DatabaseInput": {"Name": "sample"}},
        {"DatabaseInput": {"Name": "sample", "Description": "changed"}}, {},
        ("glue", "get_database", {"Name": "{id}"}), "changed",
    ),
    Sample(
        "AWS::Glue::Job",
        {"Role": "r", "GlueVersion": "5.1", "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b.py"},
         "DefaultArguments": {"--a": "one"}, "ExecutionProperty": {"MaxConcurrentRuns": 3}, "Tags": {"a": "b"}},
        {"DefaultArguments": {"--a": "two"}, "Tags": {"a": "c"}}, {}, ("glue", "get_job", {"JobName": "{id}"}), "two",
    ),
    Sample(
        "AWS::Glue::SecurityConfiguration",
        {"EncryptionConfiguration": {"S3Encryptions": [{"S3EncryptionMode": "DISABLED"}]}},
        {"EncryptionConfiguration": {"S3Encryptions": [{"S3EncryptionMode": "SSE-S3"}]}}, {},
        ("glue", "get_security_configuration", {"Name": "{id}"}), "SSE-S3",
    ),
    Sample(
        "AWS::IAM::ManagedPolicy", {"PolicyDocument": ALLOW, "Roles": [{"Ref": "Role"}]},
        {"PolicyDocument": ALLOW_MORE}, {"Role": ROLE},
        ("iam", "list_policy_versions", {"PolicyArn": "{id}"}), "'VersionId': 'v2', 'IsDefaultVersion': True",
    ),
    Sample(
        "AWS::IAM::Policy", {"PolicyName": "sample", "PolicyDocument": ALLOW, "Roles": ["sample-role"]},
        {"PolicyDocument": ALLOW_MORE}, {"Role": of(
            "AWS::IAM::Role", RoleName="sample-role", AssumeRolePolicyDocument=TRUST)},
        ("iam", "get_role_policy", {"RoleName": "sample-role", "PolicyName": "sample"}), "'s3:*'",
    ),
    Sample(
        "AWS::IAM::Role",
        {"AssumeRolePolicyDocument": TRUST, "Policies": [{"PolicyName": "p", "PolicyDocument": ALLOW}]},
        {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole"]}, {},
        ("iam", "list_attached_role_policies", {"RoleName": "{id}"}), "AWSGlueServiceRole",
    ),
    Sample(
        "AWS::KMS::Alias", {"AliasName": "alias/sample", "TargetKeyId": {"Ref": "Key"}},
        {"TargetKeyId": {"Ref": "Other"}}, {"Key": KEY, "Other": KEY},
        ("kms", "describe_key", {"KeyId": "{id}"}), "KeyId",
    ),
    Sample(
        "AWS::KMS::Key", {"KeyPolicy": ANYONE, "EnableKeyRotation": False}, {"EnableKeyRotation": True}, {},
        ("kms", "get_key_rotation_status", {"KeyId": "{id}"}), "'KeyRotationEnabled': True",
    ),
    Sample(
        "AWS::Kinesis::Stream",
        {"ShardCount": 1, "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
         "StreamModeDetails": {"StreamMode": "PROVISIONED"}, "RetentionPeriodHours": 168},
        {"ShardCount": 2, "RetentionPeriodHours": 48}, {},
        ("kinesis", "describe_stream", {"StreamName": "{id}"}), "'RetentionPeriodHours': 48",
    ),
    Sample(
        "AWS::Lambda::EventInvokeConfig",
        {"FunctionName": {"Ref": "Function"}, "Qualifier": "$LATEST", "MaximumRetryAttempts": 1},
        {"MaximumRetryAttempts": 2}, {"Role": ROLE, "Function": FUNCTION},
    ),
    Sample(
        "AWS::Lambda::EventSourceMapping",
        {"FunctionName": {"Ref": "Function"}, "EventSourceArn": {"Fn::GetAtt": ["Stream", "Arn"]},
         "StartingPosition": "TRIM_HORIZON", "BatchSize": 10, "ParallelizationFactor": 2},
        {"BatchSize": 20}, {"Role": ROLE, "Function": FUNCTION, "Stream": STREAM},
        ("lambda", "get_event_source_mapping", {"UUID": "{id}"}), "'BatchSize': 20",
    ),
    Sample(
        "AWS::Lambda::Function", FUNCTION["Properties"], {"MemorySize": 512, "Timeout": 9}, {"Role": ROLE},
        ("lambda", "get_function_configuration", {"FunctionName": "{id}"}), "'MemorySize': 512",
    ),
    Sample(
        "AWS::Lambda::LayerVersion", {"LayerName": "sample", "Content": {"ZipFile": NOTHING_ZIPPED}},
        {"Description": "changed"}, {}, ("lambda", "list_layer_versions", {"LayerName": "sample"}), "changed",
    ),
    Sample(
        "AWS::Lambda::Permission",
        {"FunctionName": {"Ref": "Function"}, "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"},
        {"Principal": "sns.amazonaws.com"}, {"Role": ROLE, "Function": {**FUNCTION, "Properties": {
            **FUNCTION["Properties"], "FunctionName": "sample"}}},
        ("lambda", "get_policy", {"FunctionName": "sample"}), "sns.amazonaws.com",
    ),
    Sample(
        "AWS::Logs::MetricFilter",
        {"LogGroupName": {"Ref": "Group"}, "FilterPattern": "one", "MetricTransformations": [
            {"MetricName": "seen", "MetricNamespace": "lake", "MetricValue": "1"}]},
        {"FilterPattern": "two"}, {"Group": of("AWS::Logs::LogGroup", LogGroupName="filtered")},
        ("logs", "describe_metric_filters", {"logGroupName": "filtered"}), "'filterPattern': 'two'",
    ),
    Sample(
        "AWS::Logs::LogGroup", {"LogGroupName": "sample", "RetentionInDays": 1}, {"RetentionInDays": 7}, {},
        ("logs", "describe_log_groups", {"logGroupNamePrefix": "{id}"}), "'retentionInDays': 7",
    ),
    Sample(
        "AWS::Logs::ResourcePolicy", {"PolicyName": "sample", "PolicyDocument": '{"Version":"1"}'},
        {"PolicyDocument": '{"Version":"2"}'}, {}, ("logs", "describe_resource_policies", {}), '{"Version":"2"}',
    ),
    Sample(
        "AWS::S3::Bucket",
        {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": 9}]},
         "VersioningConfiguration": {"Status": "Enabled"}, "Tags": [{"Key": "a", "Value": "b"}],
         "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
         "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
         "BucketEncryption": {"ServerSideEncryptionConfiguration": [
             {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]},
         "LoggingConfiguration": {"LogFilePrefix": "x/"}},
        {"LifecycleConfiguration": {"Rules": [
            {"Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 3},
            {"Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 5},
             "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
             "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}]}]}}, {},
        ("s3", "get_bucket_lifecycle_configuration", {"Bucket": "{id}"}), "'Days': 3",
    ),
    Sample(
        "AWS::S3::BucketPolicy", {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": ALLOW},
        {"PolicyDocument": ALLOW_MORE}, {"Bucket": BUCKET}, ("s3", "get_bucket_policy", {"Bucket": "{id}"}), "s3:*",
    ),
    Sample(
        "AWS::SNS::Subscription",
        {"TopicArn": {"Ref": "Topic"}, "Protocol": "sqs", "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]}},
        {"RawMessageDelivery": True}, {"Topic": TOPIC, "Queue": QUEUE},
        ("sns", "get_subscription_attributes", {"SubscriptionArn": "{id}"}), "'RawMessageDelivery': 'true'",
    ),
    Sample(
        "AWS::SNS::Topic", {"TopicName": "sample"}, {"DisplayName": "changed"}, {},
        ("sns", "get_topic_attributes", {"TopicArn": "{id}"}), "changed",
    ),
    Sample(
        "AWS::SNS::TopicPolicy", {"Topics": [{"Ref": "Topic"}], "PolicyDocument": ALLOW},
        {"PolicyDocument": ALLOW_MORE}, {"Topic": TOPIC},
    ),
    Sample(
        "AWS::SQS::Queue", {"MessageRetentionPeriod": 60, "Tags": [{"Key": "a", "Value": "b"}]},
        {"MessageRetentionPeriod": 90}, {},
        ("sqs", "get_queue_attributes", {"QueueUrl": "{id}", "AttributeNames": ["All"]}), "'90'",
    ),
    Sample(
        "AWS::SQS::QueuePolicy", {"Queues": [{"Ref": "Queue"}], "PolicyDocument": ALLOW},
        {"PolicyDocument": ALLOW_MORE}, {"Queue": QUEUE},
    ),
    Sample(
        "AWS::SSM::Parameter", {"Name": "/sample", "Type": "String", "Value": "one"}, {"Value": "two"}, {},
        ("ssm", "get_parameter", {"Name": "{id}"}), "two",
    ),
    Sample(
        "AWS::Scheduler::Schedule",
        {**SCHEDULE, "Name": "sample", "Target": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "RoleArn": ROLE_ARN}},
        {"ScheduleExpression": "cron(0 4 * * ? *)"}, {"Queue": QUEUE, "Role": ROLE},
        ("scheduler", "get_schedule", {"Name": "{id}"}), "cron(0 4",
    ),
    Sample(
        "AWS::Scheduler::ScheduleGroup", {"Name": "sample"}, {"Tags": [{"Key": "a", "Value": "b"}]}, {},
        ("scheduler", "get_schedule_group", {"Name": "{id}"}), "sample",
    ),
    Sample(
        "AWS::SecretsManager::ResourcePolicy", {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": ALLOW},
        {"ResourcePolicy": ALLOW_MORE}, {"Secret": of("AWS::SecretsManager::Secret")},
    ),
    Sample(
        "AWS::SecretsManager::Secret",
        {"GenerateSecretString": {
            "SecretStringTemplate": '{"username":"headwater"}', "GenerateStringKey": "password",
            "ExcludePunctuation": True}},
        {"Description": "changed"}, {}, ("secretsmanager", "describe_secret", {"SecretId": "{id}"}), "changed",
    ),
    Sample(
        "AWS::StepFunctions::StateMachine",
        {"DefinitionString": '{"StartAt":"${First}","States":{"A":{"Type":"Succeed"},"B":{"Type":"Succeed"}}}',
         "DefinitionSubstitutions": {"First": "A"}, "RoleArn": ROLE_ARN},
        {"DefinitionSubstitutions": {"First": "B"}}, {"Role": ROLE},
        ("stepfunctions", "describe_state_machine", {"stateMachineArn": "{id}"}), '"StartAt":"B"',
    ),
)  # fmt: skip
