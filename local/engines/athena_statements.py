"""Which plan a statement that is no query has: the list of all that run on the laptop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from local.engines import (
    athena_alter,
    athena_create,
    athena_ctas,
    athena_databases,
    athena_dml,
    athena_drop,
    athena_insert,
    athena_prepared,
    athena_shows,
    athena_upkeep,
    athena_view_changes,
)
from local.engines.athena_grammar import parse
from local.engines.athena_words import Words

Reader = Callable[[Words], Any]


def create_table(words: Words) -> Any:
    start = words.at
    found = athena_ctas.read(words)
    if found is not None:
        return found
    words.at = start
    return athena_create.read_table(words, external=False)


def tree_of(plan: Callable[[Any], Any], words: Words) -> Any:
    return plan(parse(words.sql))


READERS: dict[tuple[str, ...], Reader] = {
    ("CREATE", "TABLE"): create_table,
    ("CREATE", "EXTERNAL", "TABLE"): partial(athena_create.read_table, external=True),
    ("CREATE", "VIEW"): partial(athena_view_changes.read, replaces=False),
    ("CREATE", "OR", "REPLACE", "VIEW"): partial(athena_view_changes.read, replaces=True),
    ("CREATE", "DATABASE"): athena_databases.read_database,
    ("CREATE", "SCHEMA"): athena_databases.read_database,
    ("DROP", "TABLE"): partial(athena_drop.read_drop, "drop_table"),
    ("DROP", "VIEW"): partial(athena_drop.read_drop, "drop_view"),
    ("DROP", "DATABASE"): athena_databases.read_drop_database,
    ("DROP", "SCHEMA"): athena_databases.read_drop_database,
    ("INSERT", "INTO"): partial(tree_of, athena_insert.Insert),
    ("UPDATE",): partial(tree_of, athena_dml.Update),
    ("DELETE", "FROM"): partial(tree_of, athena_dml.Delete),
    ("MERGE", "INTO"): partial(tree_of, athena_dml.Merge),
    ("ALTER", "TABLE"): athena_alter.read,
    ("SHOW", "COLUMNS"): athena_shows.read_columns,
    ("SHOW", "PARTITIONS"): athena_shows.read_partitions,
    ("SHOW", "TBLPROPERTIES"): athena_shows.read_properties,
    ("SHOW", "CREATE", "TABLE"): athena_shows.read_create_table,
    ("EXPLAIN",): athena_shows.read_explain,
    ("MSCK", "REPAIR", "TABLE"): athena_shows.read_repair,
    ("PREPARE",): athena_prepared.read_prepare,
    ("EXECUTE",): athena_prepared.read_execute,
    ("DEALLOCATE", "PREPARE"): athena_prepared.read_deallocate,
    ("OPTIMIZE",): athena_upkeep.read_optimize,
    ("VACUUM",): athena_upkeep.read_vacuum,
    ("UNLOAD",): athena_insert.read_unload,
}


def read(sql: str) -> Any:
    """The plan of a statement; None where the list has none that begins so."""
    words = Words(sql)
    for beginning, reader in READERS.items():
        if words.accept(*beginning):
            return reader(words)
    return None
