"""The marketing system's data, in SQL Server's types: faults in known numbers, the same rows at every start."""

from __future__ import annotations

from local import tickit
from local.crm import rows
from local.engines.sources import Server
from local.tickit import faults
from local.tickit.faults import Change

DATABASE = "crm"
SIZES = {"crm.customers": 5_000, "crm.campaigns": 40, "crm.responses": 10_000}
TYPES = {
    "crm.customers": '"CustomerId" int, "UserId" int, "Order" int, "group" nvarchar(20), "FirstName" nvarchar(50), '
    '"LastName" nvarchar(50), "Email" nvarchar(200), "BirthDate" date, "IsActive" bit, "CreditLimit" decimal(19,4), '
    '"Notes" nvarchar(max), "UpdatedAt" datetime2',
    "crm.campaigns": '"CampaignId" int, "Name" nvarchar(100), "Channel" nvarchar(20), "Budget" money, '
    '"StartsOn" date, "EndsOn" date, "IsPublic" bit',
    "crm.responses": '"ResponseId" bigint, "CampaignId" int, "CustomerId" int, "Kind" nvarchar(20), '
    '"Text" nvarchar(max), "RespondedAt" datetime2',
}
# dataset -> rule -> rows, as local/tickit/faults.py has them
FAULTS: dict[str, dict[str, int]] = {
    "crm.customers": {"required_last_name": 3, "email_pattern": 4, "segment_known": 2, "first_name_trimmed": 2},
    "crm.campaigns": {"required_name": 1, "dates_in_order": 1},
    "crm.responses": {
        "foreign_key_campaign_id": 3,
        "kind_known": 4,
        "required_responded_at": 2,
        faults.DUPLICATES: 5,
    },
}
CHANGES: dict[str, Change] = {
    "required_last_name": ("LastName", None),
    "email_pattern": ("Email", " "),
    "segment_known": ("group", "gold"),
    "first_name_trimmed": ("FirstName", " "),
    "required_name": ("Name", None),
    "dates_in_order": ("EndsOn", "2001-01-01"),
    "foreign_key_campaign_id": ("CampaignId", faults.NOBODY),
    "kind_known": ("Kind", "gift"),
    "required_responded_at": ("RespondedAt", None),
}


def sizes(scale: float = 1.0) -> dict[str, int]:
    """Rows per table, faulty ones among them; campaigns are few at any scale."""
    return {name: size if name == "crm.campaigns" else round(size * scale) for name, size in SIZES.items()}


def expected(scale: float = 1.0) -> dict[str, tickit.Expected]:
    """What each dataset's first load must read, supersede and quarantine, by rule."""
    return {name: tickit.Expected.of(size, FAULTS[name]) for name, size in sizes(scale).items()}


def generate(scale: float = 1.0) -> dict[str, tickit.Dataset]:
    """Every table with its faults; its customers are among the users that the marketplace has at this scale."""
    count = {name: size - faults.added_rows(FAULTS[name]) for name, size in sizes(scale).items()}
    users = tickit.sizes(scale)["saas.users"]
    tables = rows.clean(count["crm.customers"], count["crm.campaigns"], count["crm.responses"], users)
    return {
        name: tickit.Dataset(table, faults.inject(name, table, FAULTS[name], CHANGES)) for name, table in tables.items()
    }


def load(server: Server, scale: float = 1.0) -> None:
    """Fill the database `crm`, without keys or constraints; tables that are there are replaced."""
    server.create_database(DATABASE)
    for name, dataset in generate(scale).items():
        server.fill(DATABASE, name.split(".")[1].capitalize(), TYPES[name], dataset.table)
