"""Sales in any number for measurements, in PostgreSQL as TICKIT has them: one in a thousand broken, one doubled."""

from __future__ import annotations

DATASET = "ecommerce.sales"
START = "2018-01-01"


def columns(number: str = "n", a_day: int = 1000) -> str:
    """A row of number `n`; the sales of a day follow each other."""
    price = f"CASE WHEN {number} % 1000 = 500 THEN 0 ELSE 20 + {number} % 480 END"
    return f"""
        {number}::int AS salesid, ({number} % 190000)::int AS listid, ({number} % 49990)::int AS sellerid,
        ({number} * 7 % 49990)::int AS buyerid, ({number} % 8798)::int AS eventid,
        ({number} % 365)::smallint AS dateid, (1 + {number} % 8)::smallint AS qtysold,
        ({price})::decimal(8,2) AS pricepaid, round(({price}) * 0.15, 2)::decimal(8,2) AS commission,
        timestamp '{START}' + ({number} / {a_day}) * interval '1 day' + ({number} % {a_day}) * interval '1 minute'
            AS saletime"""


def create(rows: int, a_day: int = 1000, table: str = "sales") -> str:
    return f"""
        DROP TABLE IF EXISTS {table};
        CREATE TABLE {table} AS SELECT {columns(a_day=a_day)} FROM generate_series(1, {rows}) n;
        INSERT INTO {table} SELECT * FROM {table} WHERE salesid % 1000 = 1;
        ANALYZE {table}"""


def another_day(rows: int, a_day: int, table: str = "sales") -> str:
    """A day after so many rows: new sales, and changes of a tenth of those of the day before."""
    return f"""
        UPDATE {table} SET qtysold = qtysold + 1 WHERE salesid > {rows - a_day} AND salesid % 10 = 3;
        INSERT INTO {table} SELECT {columns(a_day=a_day)} FROM generate_series({rows + 1}, {rows + a_day}) n"""
