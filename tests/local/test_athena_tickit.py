"""What the TICKIT demo does in Athena: a monthly view, two CTAS tables by partition and bucket, queries that prune."""

from __future__ import annotations

import pytest

from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint

SOURCES = {
    "users": "SELECT * FROM (VALUES (1, 'Ann', 'Ash'), (2, 'Bob', 'Birch')) t(userid, firstname, lastname)",
    "category": "SELECT * FROM (VALUES (1, 'Shows', 'Opera'), (2, 'Concerts', 'Pop')) t(catid, catgroup, catname)",
    "event": "SELECT * FROM (VALUES (1, 1, 'Aida'), (2, 2, 'Muse')) t(eventid, catid, eventname)",
    "date": "SELECT * FROM (VALUES (1, '2008-01-05', 2008, 'JAN'), (2, '2008-02-07', 2008, 'FEB')) "
    "t(dateid, caldate, year, month)",
    "sales": "SELECT * FROM (VALUES (1, 2, 1, 1, '100.00', 2, '15.00'), (2, 1, 2, 1, '30.00', 1, '4.50'), "
    "(1, 2, 2, 2, '50.00', 4, '7.50')) t(sellerid, buyerid, eventid, dateid, pricepaid, qtysold, commission)",
}
AMOUNT = "cast(s.pricepaid AS DECIMAL(8,2)) * s.qtysold"
ROWS = f"""
WITH cat AS (
    SELECT DISTINCT e.eventid, c.catgroup, c.catname FROM event AS e LEFT JOIN category AS c ON c.catid = e.catid
)
SELECT cast(d.caldate AS DATE) AS caldate, s.pricepaid, s.qtysold, round({AMOUNT}, 2) AS sale_amount,
    cast(s.commission AS DECIMAL(8,2)) AS commission,
    round((cast(s.commission AS DECIMAL(8,2)) / ({AMOUNT})) * 100, 2) AS commission_prcnt,
    e.eventname, concat(u1.firstname, ' ', u1.lastname) AS seller, concat(u2.firstname, ' ', u2.lastname) AS buyer,
    %s
FROM sales AS s
    LEFT JOIN users AS u1 ON u1.userid = s.sellerid
    LEFT JOIN users AS u2 ON u2.userid = s.buyerid
    LEFT JOIN event AS e ON e.eventid = s.eventid
    LEFT JOIN date AS d ON d.dateid = s.dateid
    LEFT JOIN cat AS c ON c.eventid = s.eventid"""
TABLES = {
    "by_category": ("'catgroup', 'catname'", "bucket_catname", "c.catname AS bucket_catname, c.catgroup, c.catname"),
    "by_date": ("'year', 'month'", "bucket_month", "c.catgroup, c.catname, d.month AS bucket_month, d.year, d.month"),
}


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    analyst = Analyst(endpoint, "athena_tickit", "athena-tickit").prepare()
    for name, sql in SOURCES.items():
        analyst.run(f"CREATE TABLE {name} AS {sql}")
    for name, (partitions, bucket, columns) in TABLES.items():
        analyst.run(
            f"CREATE TABLE IF NOT EXISTS {name} WITH (format = 'Parquet', write_compression = 'SNAPPY', "
            f"external_location = 's3://{analyst.bucket}/gold/{name}/', partitioned_by = ARRAY[{partitions}], "
            f"bucketed_by = ARRAY['{bucket}'], bucket_count = 1) AS {ROWS % columns}"
        )
    return analyst


def test_sales_by_month_are_a_view(ann: Analyst) -> None:
    ann.run(
        f"CREATE VIEW sales_by_month AS SELECT d.year, d.month, round(sum({AMOUNT}), 2) AS sum_sales,"
        " round(sum(cast(s.commission AS DECIMAL(8,2))), 2) AS sum_commission, count(*) AS order_volume"
        " FROM sales AS s JOIN date AS d USING(dateid) GROUP BY d.year, d.month ORDER BY d.year, d.month"
    )
    assert ann.rows("SELECT * FROM sales_by_month ORDER BY month DESC") == [
        ["2008", "JAN", "230.00", "19.50", "2"],
        ["2008", "FEB", "200.00", "7.50", "1"],
    ]


def test_the_two_tables_lie_in_partitions_and_buckets(ann: Analyst) -> None:
    assert sorted(key.rpartition("/")[0] for key in ann.keys("gold/by_date/")) == [
        "gold/by_date/year=2008/month=FEB",
        "gold/by_date/year=2008/month=JAN",
    ]
    storage = ann.table("by_category")["StorageDescriptor"]
    assert (storage["BucketColumns"], storage["NumberOfBuckets"]) == (["bucket_catname"], 1)
    found = ann.rows("SELECT caldate, sale_amount, commission_prcnt, seller FROM by_category WHERE catname = 'Opera'")
    assert found == [["2008-01-05", "200.00", "8.00", "Ann Ash"]]  # 15.00 / 200.00 is 0.08, a decimal of scale 2


def test_a_partition_and_few_columns_are_fewer_bytes(ann: Analyst) -> None:
    queries = (
        "SELECT * FROM by_category LIMIT 10000",
        "SELECT * FROM by_category WHERE catgroup = 'Shows' AND catname = 'Opera' LIMIT 10000",
    )
    every, one = (ann.run(sql)["Statistics"]["DataScannedInBytes"] for sql in queries)
    assert 0 < one < every
    (pruned,) = [key for key in ann.keys("gold/by_category/") if "Pop" in key]
    ann.endpoint.client("s3").delete_object(Bucket=ann.bucket, Key=pruned)
    ann.endpoint.client("s3").put_object(Bucket=ann.bucket, Key=pruned, Body=b"not parquet")
    assert len(ann.rows(queries[1])) == 1
