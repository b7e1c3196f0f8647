"""Permissions of API actions in tables: the resource of each, those that go by another's name, those that pass roles.

Names are those of AWS's Service Authorization Reference.
"""

from __future__ import annotations

WILD = "*"
PLAIN = {  # service: actions -> the resource, with parameters of the request in braces
    "states": {
        "StartExecution StartSyncExecution ListExecutions DescribeStateMachine UpdateStateMachine DeleteStateMachine":
            "{stateMachineArn}",
        "DescribeExecution GetExecutionHistory StopExecution RedriveExecution DescribeStateMachineForExecution":
            "{executionArn}",
        "CreateStateMachine": "stateMachine:{name}",
        "ListStateMachines ValidateStateMachineDefinition SendTaskSuccess SendTaskFailure SendTaskHeartbeat": WILD,
    },
    "secretsmanager": {"CreateSecret": "secret:{Name}", "ListSecrets GetRandomPassword": WILD},
    "ssm": {
        "GetParameter PutParameter DeleteParameter GetParameterHistory": "parameter/{Name}",
        "GetParametersByPath": "parameter/{Path}", "DescribeParameters": WILD,
    },
    "events": {
        "PutRule DeleteRule DescribeRule EnableRule DisableRule": "rule/{Name}",
        "PutTargets RemoveTargets ListTargetsByRule": "rule/{Rule}", "ListRules ListEventBuses": WILD,
    },
    "cloudwatch": {
        "GetMetricData GetMetricStatistics ListMetrics DescribeAlarms DescribeAlarmsForMetric ListDashboards": WILD,
        "PutMetricAlarm SetAlarmState": "alarm:{AlarmName}",
    },
    "xray": {"PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets": WILD},
    "lakeformation": {"*": WILD},
    "cloudformation": {
        "CreateStack UpdateStack DeleteStack DescribeStacks DescribeStackResources DescribeStackEvents GetTemplate "
        "ListStackResources CreateChangeSet ExecuteChangeSet DescribeChangeSet DeleteChangeSet": "stack/{StackName}/*",
        "ListStacks ValidateTemplate": WILD,
    },
    "sns": {
        "Publish PublishBatch Subscribe GetTopicAttributes SetTopicAttributes ListSubscriptionsByTopic DeleteTopic":
            "{TopicArn|TargetArn}",
        "Unsubscribe": "{SubscriptionArn}", "CreateTopic": "{Name}", "ListTopics ListSubscriptions": WILD,
    },
    "kinesis": {
        "PutRecord PutRecords GetShardIterator DescribeStream DescribeStreamSummary ListShards CreateStream "
        "DeleteStream UpdateShardCount StartStreamEncryption StopStreamEncryption IncreaseStreamRetentionPeriod "
        "DecreaseStreamRetentionPeriod ListTagsForStream AddTagsToStream": "stream/{StreamName|StreamARN}",
        "ListStreams DescribeLimits": WILD,
    },
    "iam": {
        "GetRole PassRole ListRolePolicies GetRolePolicy PutRolePolicy DeleteRolePolicy AttachRolePolicy DeleteRole "
        "DetachRolePolicy ListAttachedRolePolicies UpdateAssumeRolePolicy CreateRole TagRole UpdateRole "
        "PutRolePermissionsBoundary DeleteRolePermissionsBoundary": "role/{RoleName}",
        "GetPolicy GetPolicyVersion ListPolicyVersions CreatePolicyVersion DeletePolicy": "{PolicyArn}",
        "ListRoles ListPolicies ListUsers": WILD,
    },
}  # fmt: skip
SAME_AS = {  # actions that are another one's permission
    "sns:PublishBatch": "Publish", "lambda:Invoke": "InvokeFunction", "lambda:InvokeAsync": "InvokeFunction",
    "lambda:InvokeWithResponseStream": "InvokeFunction", "sqs:SendMessageBatch": "SendMessage",
    "sqs:DeleteMessageBatch": "DeleteMessage", "sqs:ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "lakeformation:GetTemporaryGlueTableCredentials": "GetDataAccess",
    "lakeformation:GetTemporaryGluePartitionCredentials": "GetDataAccess",
    "lakeformation:GetTemporaryDataLocationCredentials": "GetDataAccess",
}  # fmt: skip
GLOBAL = {"iam"}
PASSES = {  # what takes a role of the caller's to work with: where the request names it, and for which service
    "glue:CreateJob": ("Role", "glue"), "glue:UpdateJob": ("JobUpdate.Role", "glue"),
    "glue:CreateCrawler": ("Role", "glue"), "glue:UpdateCrawler": ("Role", "glue"),
    "lambda:CreateFunction": ("Role", "lambda"), "lambda:UpdateFunctionConfiguration": ("Role", "lambda"),
    "states:CreateStateMachine": ("roleArn", "states"), "states:UpdateStateMachine": ("roleArn", "states"),
    "scheduler:CreateSchedule": ("Target.RoleArn", "scheduler"),
    "scheduler:UpdateSchedule": ("Target.RoleArn", "scheduler"),
    "events:PutRule": ("RoleArn", "events"), "lakeformation:RegisterResource": ("RoleArn", "lakeformation"),
    "cloudformation:CreateStack": ("RoleARN", "cloudformation"),
    "cloudformation:UpdateStack": ("RoleARN", "cloudformation"),
    "cloudformation:CreateChangeSet": ("RoleARN", "cloudformation"),
}  # fmt: skip
