"""What of Athena's SQL is real on the laptop."""

from __future__ import annotations

FIDELITY = (
    ("Athena", "SELECT over Iceberg, Avro and Parquet tables of the Glue catalog", "DuckDB, SQL by allow-list", "real"),
    ("Athena", "FOR TIMESTAMP AS OF and FOR VERSION AS OF with literals, on Iceberg tables", "DuckDB", "real"),
    ("Athena", "SHOW TABLES, SHOW DATABASES, DESCRIBE, information_schema", "ours", "real"),
    ("Athena", "functions, operators, casts and types without a conformance case", "", "refused"),
    (
        "Athena",
        "views of the Glue catalog, nested ones too: SELECT, DESCRIBE, SHOW VIEWS, SHOW CREATE VIEW",
        "ours",
        "real",
    ),
    (
        "Athena",
        "CTAS, INSERT INTO and UNLOAD: Parquet, JSON, Avro, text; partitions and their limit of 100, manifests",
        "DuckDB",
        "real",
    ),
    (
        "Athena",
        "Iceberg tables: CREATE, CTAS, INSERT, UPDATE, DELETE, MERGE (copy on write, one commit each)",
        "DuckDB, PyIceberg",
        "real",
    ),
    (
        "Athena",
        "$snapshots, $history, $refs, $files, $manifests, $partitions; of plain tables $partitions",
        "ours",
        "real",
    ),
    ("Athena", "OPTIMIZE … BIN_PACK and VACUUM of Iceberg tables", "DuckDB, PyIceberg", "real"),
    ("Athena", "CREATE and DROP of tables and databases, DROP VIEW", "ours", "real"),
    ("Athena", "ORC files; INSERT into bucketed tables", "", "refused"),
    (
        "Athena",
        "position deletes, as Spark's merge-on-read leaves them: SELECT, UPDATE, DELETE, MERGE, OPTIMIZE",
        "DuckDB, PyIceberg",
        "real",
    ),
    ("Athena", "Iceberg tables with equality deletes or of version 3", "", "refused"),
    (
        "Athena",
        "timestamps, decimals, dates, arrays, maps and structs of Parquet, Avro and JSON; fields by their names",
        "DuckDB",
        "real",
    ),
    (
        "Athena",
        "JSON: timestamps that are not written as '2026-11-21 05:30:00.123', decimals over 15 digits",
        "",
        "refused",
    ),
    ("Athena", "TABLESAMPLE, MATCH_RECOGNIZE, the type time, order of arrays and rows", "", "refused"),
    ("Athena", "CREATE VIEW; ALTER TABLE: properties, columns, partitions, places, names", "ours, PyIceberg", "real"),
    ("Athena", "SHOW COLUMNS, PARTITIONS, TBLPROPERTIES, CREATE TABLE; MSCK REPAIR TABLE", "ours", "real"),
    ("Athena", "EXPLAIN: the plan of the laptop's engine", "DuckDB", "simulated"),
    ("Athena", "OPTIMIZE with WHERE, SHOW FUNCTIONS, EXPLAIN as JSON or GRAPHVIZ", "", "refused"),
    ("Athena", "JSON lines by the OpenX SerDe with gzip; partition projection: date, integer, enum", "DuckDB", "real"),
    (
        "Athena",
        "text lines by LazySimpleSerDe and OpenCSVSerde, with gzip; values that fit their types",
        "DuckDB",
        "real",
    ),
    ("Athena", "escapes in text lines; the Hive JSON SerDe; partition projection of the type injected", "", "refused"),
)
