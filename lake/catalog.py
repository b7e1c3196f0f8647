"""The Iceberg catalog that every Spark session of ours knows, by one name and with the same settings."""

from __future__ import annotations

CATALOG = "lake"


def catalog_settings(silver_bucket: str) -> dict[str, str]:
    """Spark's settings of the catalog; every table says its own location, so the warehouse only has to be one."""
    catalog = f"spark.sql.catalog.{CATALOG}"
    return {
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.warehouse": f"s3://{silver_bucket}/",
        f"{catalog}.cache-enabled": "false",  # a session would otherwise miss the commits of others
        f"{catalog}.glue.skip-archive": "true",  # Iceberg keeps the history; Glue's own copy of it has a quota
    }
