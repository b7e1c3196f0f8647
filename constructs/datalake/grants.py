"""The lake's own vocabulary of grants: a layer's objects, a layer's tables, the ledger, the key, logs."""

from __future__ import annotations

from collections.abc import Sequence

from config import Environment
from config.consumers import EVERY_DATASET
from config.stream import noun
from datalake.access import Grant
from lake.arrivals import GIVEN_UP

READ_TABLES = ("glue:GetDatabase", "glue:GetTable", "glue:GetTables")
NO_RESOURCE_LEVEL = "The service takes no resource for these actions."


class LakeGrants:
    """Grants on the resources of one environment, all named by rule."""

    def __init__(self, environment: Environment, *, key_arn: str) -> None:
        self._environment = environment
        self._key_arn = key_arn

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self._environment.region}:{self._environment.account}:{resource}"

    def use_key(self) -> Grant:
        return Grant(["kms:Decrypt", "kms:GenerateDataKey"], [self._key_arn])

    def read_encrypted(self) -> Grant:
        """Decrypt objects, through S3 alone: the key is that of secrets and tables too."""
        through = {"StringEquals": {"kms:ViaService": f"s3.{self._environment.region}.amazonaws.com"}}
        return Grant(["kms:Decrypt"], [self._key_arn], conditions=through)

    def read_objects(self, *layers: str) -> list[Grant]:
        return self._objects(["s3:GetObject"], layers)

    def write_objects(self, *layers: str) -> list[Grant]:
        return self._objects(["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], layers)

    def erase_objects(self, *layers: str) -> list[Grant]:
        """Rewrite objects, and delete every version of them that is not the newest."""
        verbs = ("GetObject", "PutObject", "DeleteObject", "DeleteObjectVersion", "AbortMultipartUpload")
        listed, written = self._objects([f"s3:{verb}" for verb in verbs], layers)
        buckets = list(listed.resources)
        return [Grant([*listed.actions, "s3:ListBucketVersions"], buckets), written]

    def write_certificates(self) -> Grant:
        certificates = f"arn:aws:s3:::{self._environment.bucket('logs')}/certificates/*"
        return Grant(["s3:PutObject"], [certificates], why="A certificate is named after its run.")

    def _objects(self, actions: Sequence[str], layers: Sequence[str]) -> list[Grant]:
        buckets = [f"arn:aws:s3:::{self._environment.bucket(layer)}" for layer in layers]
        return [
            Grant(["s3:ListBucket", "s3:GetBucketLocation"], buckets),
            Grant(actions, [f"{bucket}/*" for bucket in buckets], why=EVERY_DATASET),
        ]

    def scratch(self, prefix: str) -> list[Grant]:
        bucket = f"arn:aws:s3:::{self._environment.bucket('scratch')}"
        actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        why = "Temporary objects get their names from the service that writes them."
        return [Grant(["s3:ListBucket"], [bucket]), Grant(actions, [f"{bucket}/{prefix}/*"], why=why)]

    def read_tables(self, *layers: str) -> Grant:
        return self._tables(READ_TABLES, layers)

    def commit_tables(self, *layers: str) -> Grant:
        """Commit to tables that are there."""
        return self._tables([*READ_TABLES, "glue:UpdateTable"], layers)

    def make_tables(self, *layers: str) -> Grant:
        return self._tables([*READ_TABLES, "glue:CreateTable", "glue:UpdateTable"], layers)

    def remove_views(self, *layers: str) -> Grant:
        """Delete the views that keep a table's old names, `TABLE__vN`, and nothing else of the catalog."""
        databases = [self._environment.database(layer) for layer in layers]
        resources = [self.arn("glue", "catalog"), *(self.arn("glue", f"database/{each}") for each in databases)]
        views = [self.arn("glue", f"table/{each}/*__v*") for each in databases]
        return Grant(["glue:DeleteTable"], [*resources, *views], why=EVERY_DATASET)

    def register_loads(self, *layers: str) -> Grant:
        """Tables over files, with a partition for each committed load."""
        return self._tables([*READ_TABLES, "glue:CreateTable", "glue:UpdateTable", "glue:CreatePartition"], layers)

    def _tables(self, actions: Sequence[str], layers: Sequence[str]) -> Grant:
        databases = [self._environment.database(layer) for layer in layers]
        resources = [self.arn("glue", "catalog")]
        for database in databases:
            resources += [self.arn("glue", f"database/{database}"), self.arn("glue", f"table/{database}/*")]
        return Grant(actions, resources, why=EVERY_DATASET)

    def register_rulesets(self) -> Grant:
        """Say every dataset's rules to Glue Data Quality."""
        actions = [f"glue:{verb}DataQualityRuleset" for verb in ("Get", "Create", "Update")]
        return Grant(
            actions, [self.arn("glue", f"dataQualityRuleset/{self._environment.resource('*')}")], why=EVERY_DATASET
        )

    def govern_tables(self) -> list[Grant]:
        """Tag tables, filter their cells, grant the filters: as far as Lake Formation lets the role."""
        if self._environment.governance == "iam":
            return []
        filters = [f"{verb}DataCellsFilter" for verb in ("List", "Create", "Update", "Delete")]
        granted = ["BatchGrantPermissions", "BatchRevokePermissions", "GrantPermissions", "RevokePermissions"]
        actions = ["AddLFTagsToResource", "ListPermissions", *filters, *granted]
        why = f"{NO_RESOURCE_LEVEL} Lake Formation itself holds the role to the lake's databases."
        return [Grant([f"lakeformation:{each}" for each in actions], ["*"], why=why)]

    def discover(self, database: str, prefix: str) -> list[Grant]:
        """Write down in this database what was found, in tables whose names begin so."""
        found = self._environment.database(database)
        above = [self.arn("glue", "catalog"), self.arn("glue", f"database/{found}")]
        partitions = ["GetPartitions", "BatchGetPartition", "BatchCreatePartition", "BatchUpdatePartition"]
        actions = [f"glue:{action}" for action in ("CreateTable", "UpdateTable", *partitions)]
        why = "What a crawler finds is named after what it finds."
        return [
            Grant([*READ_TABLES], [*above, self.arn("glue", f"table/{found}/*")], why=why),
            Grant(actions, [*above, self.arn("glue", f"table/{found}/{prefix}*")], why=why),
        ]

    def connect(self, *sources: str) -> list[Grant]:
        """Read the connections of these sources, and their passwords."""
        connections = [self.arn("glue", f"connection/{self._environment.resource(source)}") for source in sources]
        # Secrets Manager adds six characters of its own to a secret's name.
        secrets = [
            self.arn("secretsmanager", f"secret:{self._environment.secret(source)}-??????") for source in sources
        ]
        return [
            Grant(["glue:GetConnection"], [self.arn("glue", "catalog"), *connections]),
            Grant(["secretsmanager:GetSecretValue"], secrets),
        ]

    def read_secret(self, name: str) -> Grant:
        secret = self.arn("secretsmanager", f"secret:{self._environment.secret(name)}-??????")
        return Grant(["secretsmanager:GetSecretValue"], [secret])

    def read_stream(self, dataset: str) -> Grant:
        """What a mapping does with the role of its function."""
        actions = ["DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards"]
        return Grant([f"kinesis:{action}" for action in actions], [self._stream(dataset)])

    def _stream(self, dataset: str) -> str:
        return self.arn("kinesis", f"stream/{self._environment.resource(noun(dataset))}")

    def write_events(self, dataset: str) -> Grant:
        """Write a dataset's bronze objects and its dead letters; read none, remove none."""
        folder = f"arn:aws:s3:::{self._environment.bucket('bronze')}/{dataset.replace('.', '/')}"
        why = "An object is named after the records in it."
        return Grant(["s3:PutObject"], [f"{folder}/*", f"{folder}__dead_letters/*"], why=why)

    def keep_undelivered(self) -> list[Grant]:
        """What a mapping needs to keep in bronze the batches that its function could not take."""
        bucket = f"arn:aws:s3:::{self._environment.bucket('bronze')}"
        why = "Lambda names what it writes after the mapping, the shard and the time."
        return [
            Grant(["s3:ListBucket"], [bucket]),
            Grant(["s3:PutObject"], [f"{bucket}/{GIVEN_UP}*"], why=why),
        ]

    def write_ledger(self) -> Grant:
        actions = ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem"]
        table = self.arn("dynamodb", f"table/{self._environment.resource('ledger')}")
        return Grant([f"dynamodb:{action}" for action in actions], [table, f"{table}/index/by_pipeline"])

    def write_logs(self, group: str) -> Grant:
        streams = self.arn("logs", f"log-group:{group}:log-stream:*")
        why = "A log stream's name is made when the code starts."
        return Grant(["logs:CreateLogStream", "logs:PutLogEvents"], [streams], why=why)

    def write_job_logs(self) -> Grant:
        why = "Glue names a run's log groups by prefix, and at times by role and security configuration too."
        actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        return Grant(actions, [self.arn("logs", "log-group:/aws-glue/*")], why=why)

    def write_crawler_logs(self) -> Grant:
        why = "Glue makes the groups of crawlers' logs, with the security configuration's name where there is one."
        actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        return Grant(actions, [self.arn("logs", "log-group:/aws-glue/crawlers*")], why=why)

    def log_executions(self) -> list[Grant]:
        """What a state machine needs to log its executions and to trace them."""
        delivery = [f"{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")]
        policies = ["ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"]
        traces = ["PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"]
        return [
            Grant([f"logs:{action}" for action in (*delivery, *policies)], ["*"], why=NO_RESOURCE_LEVEL),
            Grant([f"xray:{action}" for action in traces], ["*"], why=NO_RESOURCE_LEVEL),
        ]

    def write_traces(self) -> Grant:
        return Grant(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"], why=NO_RESOURCE_LEVEL)

    def put_metrics(self, namespace: str) -> Grant:
        only = {"StringEquals": {"cloudwatch:namespace": namespace}}
        return Grant(
            ["cloudwatch:PutMetricData"], ["*"], why=f"{NO_RESOURCE_LEVEL} The namespace limits them.", conditions=only
        )


def network_interfaces(environment: Environment) -> list[Grant]:
    """What Glue needs to put a job's workers into our subnets."""
    network = environment.network
    assert network is not None
    describe = [
        "DescribeSubnets",
        "DescribeSecurityGroups",
        "DescribeVpcAttribute",
        "DescribeVpcEndpoints",
        "DescribeRouteTables",
        "DescribeNetworkInterfaces",
    ]
    prefix = f"arn:aws:ec2:{environment.region}:{environment.account}"
    ours = [f"{prefix}:subnet/{subnet}" for subnet in network.subnets]
    ours += [f"{prefix}:security-group/{group}" for group in network.security_groups]
    interfaces = f"{prefix}:network-interface/*"
    tagged = {"ForAllValues:StringEquals": {"aws:TagKeys": ["aws-glue-service-resource"]}}
    why = "An interface has no name before it is made."
    return [
        Grant([f"ec2:{action}" for action in describe], ["*"], why=NO_RESOURCE_LEVEL),
        Grant(["ec2:CreateNetworkInterface"], [*ours, interfaces], why=why),
        Grant(
            ["ec2:DeleteNetworkInterface"],
            [interfaces],
            why=f"{why} Only those that Glue made and tagged are deleted.",
            conditions={"StringLike": {"aws:ResourceTag/aws-glue-service-resource": "*"}},
        ),
        Grant(["ec2:CreateTags", "ec2:DeleteTags"], [interfaces], why=why, conditions=tagged),
    ]
