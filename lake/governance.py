"""Who sees what, as one plan: the tags, grants and filters of Lake Formation that follow from contracts and roles.

Databases are closed: what nobody has tagged is unclassed, and in silver and gold outside every grant by tags. Grants
add up, so a table with row filters stays outside, and its filters alone are granted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lake.environment import Environment
from lake.filters import SIDE, CellFilter, filters
from lake.parts import GOLD, GOVERNED, Dataset
from lake.rights import DatabaseTags, FilterGrant, NamedGrant, Plan, TableTags, Tag, TagGrant
from lake.roles import CLASSES, SENSITIVE, UNCLASSED, Role
from lake.tables import LINEAGE
from lake.views import View

CLASSIFICATION, ACCESS, LAYER = "classification", "access", "layer"
BY_TAGS, BY_FILTERS = "tags", "filters"  # how a table is reached
VALUES = (*CLASSES, UNCLASSED)
# Which layers' tables each job writes; its role gets all permissions on them by name, and none by tags.
WRITERS = {
    "apply": GOVERNED,
    "ingest": ("bronze",),
    "refine": ("silver",),
    "mask": ("silver",),
    "model": (GOLD,),
    "maintain": ("silver", GOLD),
    "forget": ("silver", GOLD),  # of bronze it rewrites objects, and no table
}
READERS: dict[str, tuple[str, ...]] = {"model": ("silver",)}  # which layers' tables a job reads besides, all of each
GRANTS = "apply"  # the job that tags tables and grants filters


def plan(environment: Environment, datasets: Iterable[Dataset], views: Iterable[View] = ()) -> Plan:
    """The plan of an environment's contracts and roles."""
    known = sorted(datasets, key=lambda each: each.id)
    roles = sorted(environment.roles, key=lambda each: each.name)
    tagged = [table for each in known for table in tables(environment, each)]
    return Plan(
        mode=environment.governance,
        tags=_tags(environment),
        databases=tuple(_database(environment, layer) for layer in GOVERNED),
        tag_grants=tuple(grant for role in roles for grant in tag_grants(environment, role)),
        named_grants=tuple(_named(environment)),
        tables=(*tagged, *(view_tags(environment, GOLD, name) for name in sorted(each.name for each in views))),
        filter_grants=tuple(
            grant for each in known for role in roles for grant in filter_grants(environment, each, role)
        ),
    )


def principal(environment: Environment, role: str) -> str:
    """The IAM role of a role in config."""
    return principal_prefix(environment) + role.replace("_", "-")


def principal_prefix(environment: Environment) -> str:
    """What the ARNs of all IAM roles of roles in config begin with, and of those that config had once."""
    return _role_arn(environment, f"{environment.prefix}role-")


def column_classes(dataset: Dataset) -> dict[str, str]:
    """The class of each column of the dataset's table, those that tell of its row among them."""
    classes = {each.name: each.classification for each in dataset.columns}
    private = [each for each in SENSITIVE if each in classes.values()]
    told = {
        "_version": classes.get(dataset.cursor or "", "internal"),
        # of all the row's values: who guesses them could find their guess in it
        "_hash": UNCLASSED if len(private) > 1 else private[0] if private else "internal",
        "_run": "internal",
    }
    return {**classes, **{name: told[name] for name in LINEAGE}}


def tables(environment: Environment, dataset: Dataset) -> Iterator[TableTags]:
    """The dataset's own table, and those beside it, which hold rows as they came and are closed as a whole."""
    way = way_to(dataset)
    classes = column_classes(dataset)
    columns = tuple((each, tuple(n for n, held in classes.items() if held == each)) for each in VALUES)
    tags = _assigned(environment, {CLASSIFICATION: UNCLASSED, ACCESS: way})
    held = tuple((each, names) for each, names in columns if names)
    yield TableTags(dataset.id, environment.databases[dataset.layer], dataset.table, tags, held)
    for name in side_tables(dataset):
        yield TableTags(dataset.id, environment.databases["silver"], name, tags)


def view_tags(environment: Environment, layer: str, name: str, way: str = BY_TAGS) -> TableTags:
    """A view holds no data: who reads it needs the columns below it too.

    Lake Formation does not hold a table's row filters in a view of it, so such a view is outside every grant by tags.
    """
    tags = _assigned(environment, {CLASSIFICATION: "public", ACCESS: way})
    return TableTags(f"view {name}", environment.databases[layer], name, tags)


def way_to(dataset: Dataset) -> str:
    """How the dataset's tables are reached, and the views of their old names."""
    return BY_FILTERS if dataset.row_filters else BY_TAGS


def side_tables(dataset: Dataset) -> list[str]:
    quarantine = [] if dataset.is_made else [dataset.quarantine_table]
    return [*quarantine, *([dataset.deleted_table] if dataset.deletes else [])]


def tag_grants(environment: Environment, role: Role) -> Iterator[TagGrant]:
    """What a role is granted by tags: the databases of its layers, and of their tables the columns of its classes.

    A role that sees some rows only is granted tables by filters alone: a table without any is not of its rows.
    """
    arn = principal(environment, role.name)
    layers = Tag(environment.prefix + LAYER, GOVERNED if role.audit else role.reads)
    if layers.values:
        yield TagGrant(role.name, arn, "DATABASE", "DESCRIBE", (layers,))
    if role.audit:
        yield TagGrant(role.name, arn, "TABLE", "DESCRIBE", (layers,))
    if role.classes and not role.limits:
        read = Tag(environment.prefix + LAYER, role.reads)
        expression = (
            Tag(environment.prefix + ACCESS, (BY_TAGS,)),
            Tag(environment.prefix + CLASSIFICATION, role.sees),
            read,
        )
        yield TagGrant(role.name, arn, "TABLE", "SELECT", expression)


def filter_grants(environment: Environment, dataset: Dataset, role: Role) -> Iterator[FilterGrant]:
    """What a role is granted of a dataset with row filters."""
    limited = {each.name for each in dataset.row_filters}
    if not limited or dataset.layer not in role.reads or not role.limits <= limited:
        return
    arn = principal(environment, role.name)
    database, classes = environment.databases[dataset.layer], column_classes(dataset)
    for each in filters(dataset, role, prefix=environment.prefix, database=database, classes=classes):
        yield FilterGrant(dataset.id, role.name, arn, each)
    if UNCLASSED in role.sees and all(role.unlimited(each.name) for each in dataset.row_filters):
        for name in side_tables(dataset):
            whole = CellFilter(f"{environment.prefix}{SIDE}", environment.databases["silver"], name)
            yield FilterGrant(dataset.id, role.name, arn, whole)


def readable_whole(role: Role, datasets: Iterable[Dataset]) -> tuple[str, ...]:
    """The layers that a role may see all of, so that IAM, which opens a layer or does not, may open them to it."""
    if role.limits:
        return ()
    held = {layer: set[str]() for layer in GOVERNED}
    names = {layer: set[str]() for layer in GOVERNED}
    for each in datasets:
        for layer in ("bronze", each.layer):
            held[layer] |= {column.classification for column in each.columns}
            names[layer] |= {limit.name for limit in each.row_filters}
        if not each.is_made:
            held["bronze"].add(UNCLASSED)
            held["silver"].add(UNCLASSED)  # the rows of its quarantine are as they came
    return tuple(
        layer for layer in role.reads if held[layer] <= set(role.sees) and all(map(role.unlimited, names[layer]))
    )


def _tags(environment: Environment) -> tuple[Tag, ...]:
    """Keys begin with the environment's name: an account has one set of tags for all of its lakes."""
    values = {CLASSIFICATION: VALUES, ACCESS: (BY_FILTERS, BY_TAGS), LAYER: GOVERNED}
    return tuple(Tag(environment.prefix + key, each) for key, each in sorted(values.items()))


def _assigned(environment: Environment, values: dict[str, str]) -> tuple[Tag, ...]:
    return tuple(Tag(environment.prefix + key, (value,)) for key, value in sorted(values.items()))


def _database(environment: Environment, layer: str) -> DatabaseTags:
    # Bronze is raw, and closed by its class: its tables are made by loads, which tag nothing.
    way = BY_TAGS if layer == "bronze" else BY_FILTERS
    tags = _assigned(environment, {CLASSIFICATION: UNCLASSED, ACCESS: way, LAYER: layer})
    return DatabaseTags(environment.databases[layer], layer, tags)


def _named(environment: Environment) -> Iterator[NamedGrant]:
    for layer in GOVERNED:  # the function that looks which tables are there
        for kind in ("DATABASE", "TABLE"):
            arn, database = _role_arn(environment, f"{environment.prefix}plan-function"), environment.databases[layer]
            yield NamedGrant("plan", arn, kind, database, "DESCRIBE")
    for job, layers in sorted(READERS.items()):
        arn = _role_arn(environment, f"{environment.prefix}{job}-job")
        for layer in layers:
            yield NamedGrant(job, arn, "DATABASE", environment.databases[layer], "DESCRIBE")
            yield NamedGrant(job, arn, "TABLE", environment.databases[layer], "SELECT")
    for job, layers in sorted(WRITERS.items()):
        arn = _role_arn(environment, f"{environment.prefix}{job}-job")
        for layer in layers:
            database = environment.databases[layer]
            yield NamedGrant(job, arn, "DATABASE", database, "ALL", grantable=job == GRANTS)
            yield NamedGrant(job, arn, "TABLE", database, "ALL", grantable=job == GRANTS)
            yield NamedGrant(job, arn, "LOCATION", environment.buckets[layer], "DATA_LOCATION_ACCESS")


def _role_arn(environment: Environment, name: str) -> str:
    return f"arn:aws:iam::{environment.account}:role/{name}"
