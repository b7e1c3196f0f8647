"""Glue jobs on the laptop: deployed scripts on real Spark, as Glue runs them."""

from __future__ import annotations

import contextlib
import io
import threading
import zipfile

import pytest
from botocore.exceptions import ClientError
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException

from tests.local.conftest import RunningEndpoint
from tests.local.job_runs import JobLake

TABLES = """
import sys
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession

options = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket", "mark"])
bucket, spark = options["bucket"], SparkSession.builder.getOrCreate()
catalog(spark, bucket)
spark.range(1000).write.format("avro").save(f"s3://{bucket}/avro/{options['mark']}/")
read = spark.read.format("avro").load(f"s3://{bucket}/avro/{options['mark']}/")
spark.sql(f"CREATE TABLE lake.{bucket}.numbers_{options['mark']} (id bigint) USING iceberg")
read.writeTo(f"lake.{bucket}.numbers_{options['mark']}").append()
print(options["JOB_NAME"], spark.table(f"lake.{bucket}.numbers_{options['mark']}").count(), spark.version)
"""
FAILS = """
print("one line before")
raise LookupError("the table 'x' is not there")
"""
WAITS = """
import time
print("waiting", flush=True)
time.sleep(60)
"""
THREADS = """
import os
import threading
from pyspark import SparkContext
from pyspark.sql import SparkSession, functions as F
from farewell import leave
from greeting import greet

context = SparkContext()
spark = SparkSession.builder.getOrCreate()
counter = context.accumulator(0)

def word(number):
    from farewell import leave
    from greeting import greet
    assert leave() == "bye"
    counter.add(1)
    return f"{greet()} {os.environ['AWS_ACCESS_KEY_ID']}"

def work(out):
    out.append(sorted({row[0] for row in spark.range(20).select(F.udf(word)("id")).collect()}))

out = []
threads = [threading.Thread(target=work, args=(out,)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert out[0] == out[1] == [f"hello {os.environ['AWS_ACCESS_KEY_ID']}"], out
assert counter.value == 40, counter.value
spark.stop()
spark = SparkSession.builder.getOrCreate()
print("after stop", spark.range(7).count(), spark.conf.get("spark.sql.shuffle.partitions"), spark.conf.get("spark.x"))
"""
APPENDS = """
import sys
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession

options = getResolvedOptions(sys.argv, ["bucket"])
spark = SparkSession.builder.getOrCreate()
catalog(spark, options["bucket"])
spark.sql(f"CREATE TABLE IF NOT EXISTS lake.{options['bucket']}.shared (id bigint) USING iceberg")
for number in range(3):
    spark.sql(f"INSERT INTO lake.{options['bucket']}.shared VALUES ({number})")
"""


@pytest.fixture(scope="module")
def lake(endpoint: RunningEndpoint) -> JobLake:
    return JobLake(endpoint)


def test_a_script_reads_and_writes_with_its_own_role(lake: JobLake) -> None:
    jobs = {mark: lake.job(mark, TABLES) for mark in ("one", "two")}
    runs = {mark: lake.start(job, mark=mark) for mark, job in jobs.items()}
    for mark, run in runs.items():
        assert lake.wait(jobs[mark], run)["JobRunState"] == "SUCCEEDED", lake.log(run, "error")
        assert lake.log(run) == f"{jobs[mark]} 1000 3.5.6"
    calls = {mark: lake.endpoint.calls(role=job) for mark, job in jobs.items()}
    for mark, made in calls.items():
        touched = [call["resource"] for call in made if call["action"] in ("s3:PutObject", "glue:UpdateTable")]
        other = {"one": "two", "two": "one"}[mark]
        assert any(f"avro/{mark}/" in resource for resource in touched)
        assert not any(f"avro/{other}/" in resource or f"numbers_{other}" in resource for resource in touched)
        assert {"glue:CreateTable", "glue:UpdateTable", "s3:GetObject", "logs:PutLogEvents"} <= {
            call["action"] for call in made
        }


def test_a_run_shows_what_glue_shows(lake: JobLake) -> None:
    job = lake.job("shown", "print('done')", Timeout=7, DefaultArguments={"--mark": "default"})
    run = lake.run(job, mark="mine")
    assert run["JobRunState"] == "SUCCEEDED"
    assert (run["Arguments"], run["Attempt"], run["Timeout"]) == ({"--mark": "mine"}, 0, 7)
    assert (run["GlueVersion"], run["WorkerType"], run["NumberOfWorkers"]) == ("5.1", "G.1X", 2)
    assert run["CompletedOn"] >= run["StartedOn"]
    assert "ErrorMessage" not in run
    second = lake.run(job)
    listed = [found["Id"] for found in lake.client("glue").get_job_runs(JobName=job)["JobRuns"]]
    assert listed == [second["Id"], run["Id"]]


def test_an_error_is_the_runs_message_and_its_trace_the_log(lake: JobLake) -> None:
    run = lake.run(lake.job("fails", FAILS))
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "LookupError: the table 'x' is not there")
    assert lake.log(run["Id"]) == "one line before"
    assert "fails.py" in lake.log(run["Id"], "error")


def test_an_exit_code_fails_the_run_unless_it_is_zero(lake: JobLake) -> None:
    job = lake.job("exits", "import sys\nsys.exit(int(sys.argv[sys.argv.index('--code') + 1]))")
    assert lake.run(job, code="0")["JobRunState"] == "SUCCEEDED"
    failed = lake.run(job, code="3")
    assert (failed["JobRunState"], failed["ErrorMessage"]) == ("FAILED", "SystemExit: 3")


def test_a_missing_script_is_named(lake: JobLake) -> None:
    job = lake.job("gone", "pass")
    lake.client("s3").delete_object(Bucket=lake.name, Key="scripts/gone.py")
    run = lake.run(job)
    assert run["JobRunState"] == "FAILED"
    assert f"'s3://{lake.name}/scripts/gone.py'" in run["ErrorMessage"]


def test_threads_python_functions_packages_and_stop_stay_within_the_run(lake: JobLake) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("greeting/__init__.py", "def greet():\n    return 'hello'\n")
    lake.client("s3").put_object(Bucket=lake.name, Key="greeting.zip", Body=package.getvalue())
    lake.client("s3").put_object(Bucket=lake.name, Key="farewell.py", Body=b"def leave():\n    return 'bye'\n")
    arguments = {
        "--extra-py-files": f"s3://{lake.name}/greeting.zip,s3://{lake.name}/farewell.py",
        "--conf": "spark.sql.shuffle.partitions=3 --conf spark.x=y",
    }
    job = lake.job("threads", THREADS, DefaultArguments=arguments, ExecutionProperty={"MaxConcurrentRuns": 2})
    waiting = lake.start(lake.job("beside", WAITS))
    runs = [lake.start(job) for _ in range(2)]
    for run in runs:
        assert lake.wait(job, run)["JobRunState"] == "SUCCEEDED", lake.log(run, "error")
        assert lake.log(run).splitlines()[-1] == "after stop 7 3 y"
    assert lake.state(f"{lake.name}-beside", waiting)["JobRunState"] == "RUNNING"
    lake.client("glue").batch_stop_job_run(JobName=f"{lake.name}-beside", JobRunIds=[waiting])
    assert all(found["spark_seconds"] > 0 for found in lake.page(f"spark?job={job}")["runs"])


def test_more_runs_than_allowed_are_refused(lake: JobLake) -> None:
    job = lake.job("single", WAITS)
    run = lake.start(job)
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        lake.start(job)
    lake.client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run])
    assert lake.wait(job, run)["JobRunState"] == "STOPPED"
    answer = lake.client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run, "jr_none"])
    codes = [error["ErrorDetail"]["ErrorCode"] for error in answer["Errors"]]
    assert (answer["SuccessfulSubmissions"], codes) == ([], ["InvalidInputException", "EntityNotFoundException"])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"Command": {"Name": "pythonshell", "ScriptLocation": "s3://a/b.py"}}, "'pythonshell'"),
        ({"GlueVersion": "4.0"}, "'4.0'"),
        ({"MaxRetries": 2}, "'2'"),
    ],
)
def test_what_the_laptop_cannot_run_is_refused_by_name(lake: JobLake, settings: dict[str, object], named: str) -> None:
    wanted = {"Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b.py"}, "GlueVersion": "5.1", **settings}
    with pytest.raises(ClientError, match=named):
        lake.client("glue").create_job(Name=f"{lake.name}-refused", Role="none", **wanted)


def test_of_two_writers_at_once_none_is_lost(lake: JobLake) -> None:
    job = lake.job("appends", APPENDS, ExecutionProperty={"MaxConcurrentRuns": 2})
    assert lake.run(job)["JobRunState"] == "SUCCEEDED"
    settings = {
        "type": "glue",
        "glue.endpoint": lake.endpoint.url,
        "s3.endpoint": lake.endpoint.url,
        "client.region": lake.endpoint.region,
        "client.access-key-id": "headwater",
        "client.secret-access-key": "headwater",
    }
    runs = [lake.start(job) for _ in range(2)]
    table = load_catalog("lake", **settings).load_table(f"{lake.name}.shared")
    rows = table.scan().to_arrow().slice(0, 1)
    mine = threading.Thread(target=_append, args=(settings, lake.name, rows, 3))
    mine.start()
    for run in runs:
        assert lake.wait(job, run)["JobRunState"] == "SUCCEEDED", lake.log(run, "error")
    mine.join()
    assert table.refresh().scan().to_arrow().num_rows == 3 * 3 + 3


def _append(settings: dict[str, str], database: str, rows: object, times: int) -> None:
    while times:
        with contextlib.suppress(CommitFailedException):
            load_catalog("lake", **settings).load_table(f"{database}.shared").append(rows)
            times -= 1


def test_an_update_from_an_old_version_is_refused(lake: JobLake) -> None:
    glue = lake.client("glue")
    table = {"Name": "Versions", "Parameters": {"step": "1"}}
    glue.create_table(DatabaseName=lake.name.upper(), TableInput=table)
    read = glue.get_table(DatabaseName=lake.name, Name="VERSIONS")["Table"]["VersionId"]
    changed = {"Name": "versions", "Parameters": {"step": "2"}}
    glue.update_table(DatabaseName=lake.name, TableInput=changed, VersionId=read, SkipArchive=True)
    with pytest.raises(ClientError, match="ConcurrentModificationException"):
        glue.update_table(DatabaseName=lake.name, TableInput=table, VersionId=read)
    assert glue.get_table(DatabaseName=lake.name, Name="versions")["Table"]["Parameters"] == {"step": "2"}
    assert len(glue.get_table_versions(DatabaseName=lake.name, TableName="versions")["TableVersions"]) == 1


def test_tables_come_in_pages(lake: JobLake) -> None:
    glue = lake.client("glue")
    for number in range(5):
        glue.create_table(DatabaseName=lake.name, TableInput={"Name": f"paged_{number}"})
    first = glue.get_tables(DatabaseName=lake.name, Expression="paged.*", MaxResults=2)
    assert len(first["TableList"]) == 2
    pages = glue.get_paginator("get_tables").paginate(
        DatabaseName=lake.name, Expression="paged.*", PaginationConfig={"PageSize": 2}
    )
    assert [table["Name"] for page in pages for table in page["TableList"]] == [f"paged_{n}" for n in range(5)]
