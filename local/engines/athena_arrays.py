"""Functions of arrays."""

from __future__ import annotations

from local.engines.athena_casts import coerce
from local.engines.athena_errors import RefusedError
from local.engines.athena_functions import ANY_ARRAY, TEXT, WHOLE, Call, Plain, function
from local.engines.athena_operators import comparable
from local.engines.athena_rows import key_of, row_term
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, BOOLEAN, DATE, UNKNOWN, Type, array_of, row_of

# elements that DuckDB compares as Athena does, one by one
PLAIN = ("boolean", "integer", "decimal", "varchar", "date", "timestamp")
MOST = 5

for _name, _plain in {
    "slice": Plain((ANY_ARRAY, WHOLE, WHOLE), None, "t_slice"),
}.items():
    function(_name)(_plain)


def plain(call: Call, index: int = 0) -> Type:
    """The element of an array of plain values."""
    element = call.terms[index].type.element
    if element is None:
        raise call.wrong()
    return orderly(call, element)


def orderly(call: Call, element: Type) -> Type:
    if element.kind not in PLAIN:
        raise RefusedError(f"{call.name} of {array_of(element)}", node=call.node)
    return element


def with_value(call: Call) -> tuple[str, str, Type]:
    """An array and a value as the wider of their types, and that type."""
    call.need(ANY_ARRAY, ())
    array, value = call.terms[:2]
    shared = comparable(array.type.element or UNKNOWN, value.type, call.name, call.node)
    return coerce(array.sql, array.type, array_of(shared)), coerce(value.sql, value.type, shared), shared


def searched(call: Call) -> tuple[str, str, Type]:
    array, value, element = with_value(call)
    return array, value, orderly(call, element)


def both(call: Call) -> tuple[str, str, Type]:
    """Two arrays as arrays of the wider of their elements' types, and that type."""
    call.need(ANY_ARRAY, ANY_ARRAY)
    ours, theirs = call.terms[:2]
    left, right = (term.type.element or UNKNOWN for term in (ours, theirs))
    element = orderly(call, comparable(left, right, call.name, call.node))
    shared = array_of(element)
    return coerce(ours.sql, ours.type, shared), coerce(theirs.sql, theirs.type, shared), element


@function("cardinality")
def cardinality(call: Call) -> Term:
    call.need(("array", "map"))
    name = "len" if call.first.type.element is not None else "cardinality"
    return Term(f"CAST({name}({call.first.sql}) AS BIGINT)", BIGINT)


@function("array_position")
def array_position(call: Call) -> Term:
    array, value, _ = searched(call)
    return Term(f"CAST(t_position({array}, {value}) AS BIGINT)", BIGINT)


@function("array_remove")
def array_remove(call: Call) -> Term:
    array, value, element = searched(call)
    return Term(f"t_remove({array}, {value})", array_of(element))


@function("element_at")
def element_at(call: Call) -> Term:
    call.need(("array", "map"), ())
    base, index = call.terms
    if base.type.element is not None:
        if index.type.kind != "integer":
            raise call.wrong()
        return Term(f"t_element({base.sql}, {index.sql})", base.type.element)
    assert base.type.value is not None  # only a map is left
    return Term(f"({base.sql})[{key_of(base, index, call.node)}]", base.type.value)


@function("array_distinct")
def array_distinct(call: Call) -> Term:
    call.need(ANY_ARRAY)
    plain(call)
    return Term(f"t_distinct({call.first.sql})", call.first.type)


def plain_sort(call: Call) -> Term:
    """array_sort without a comparator."""
    call.need(ANY_ARRAY)
    plain(call)
    return Term(f"list_sort({call.first.sql}, 'ASC', 'NULLS LAST')", call.first.type)


@function("array_max", "array_min")
def array_extreme(call: Call) -> Term:
    call.need(ANY_ARRAY)
    name = call.name.replace("array", "list")
    return Term(f"t_extreme_of({call.first.sql}, {name}({call.first.sql}))", plain(call))


@function("arrays_overlap")
def arrays_overlap(call: Call) -> Term:
    a, b, _ = both(call)
    return Term(f"t_overlap({a}, {b})", BOOLEAN)


@function("array_intersect", "array_except", "array_union")
def array_set(call: Call) -> Term:
    """Trino documents no order: each element where it is first met."""
    a, b, element = both(call)
    shared = array_of(element)
    if call.name == "array_union":
        return Term(f"t_distinct(CASE WHEN {a} IS NULL OR {b} IS NULL THEN NULL ELSE {a} || {b} END)", shared)
    return Term(f"t_{call.name.removeprefix('array_')}({a}, {b})", shared)


@function("flatten")
def flatten(call: Call) -> Term:
    call.need(ANY_ARRAY)
    inner = call.first.type.element
    if inner is None or inner.element is None:
        raise call.wrong()
    return Term(f"flatten({call.first.sql})", inner)


@function("repeat")
def repeat(call: Call) -> Term:
    call.need((), WHOLE)
    type_ = call.first.type
    return Term(f"list_transform(t_times_of({call.terms[1].sql}), lambda i: {call.first.sql})", array_of(type_))


@function("zip")
def zip_(call: Call) -> Term:
    if not 2 <= len(call.terms) <= MOST:
        raise call.wrong()
    call.need(*(ANY_ARRAY for _ in call.terms))
    fields = row_of(*((None, term.type.element or UNKNOWN) for term in call.terms))
    if UNKNOWN in fields.parts:
        raise RefusedError("zip of an array of nothing but NULL", "Cast it.", call.node)
    missing = " OR ".join(f"{term.sql} IS NULL" for term in call.terms)
    pairs = f"list_zip({', '.join(term.sql for term in call.terms)})"
    return Term(f"CASE WHEN {missing} THEN NULL ELSE CAST({pairs} AS {fields.duckdb}[]) END", array_of(fields))


@function("row")
def row(call: Call) -> Term:
    if not call.terms:
        raise call.wrong()
    return row_term(list(call.terms))


@function("sequence")
def sequence(call: Call) -> Term:
    if not 2 <= len(call.terms) <= 3:
        raise call.wrong()
    start, stop, *step = call.terms
    if start.type.kind == stop.type.kind == "integer" and (not step or step[0].type.kind == "integer"):
        a, b = (coerce(term.sql, term.type, BIGINT) for term in (start, stop))
        by = (
            coerce(step[0].sql, step[0].type, BIGINT)
            if step
            else f"CASE WHEN {a} <= {b} THEN 1::BIGINT ELSE -1::BIGINT END"
        )
        return Term(f"t_sequence({a}, {b}, {by})", array_of(BIGINT))
    if start.type == stop.type == DATE and (not step or step[0].type.name == "interval day to second"):
        days = f"t_whole_days({step[0].sql})" if step else f"CASE WHEN {start.sql} <= {stop.sql} THEN 1 ELSE -1 END"
        gaps = f"t_sequence(0::BIGINT, CAST({stop.sql} - {start.sql} AS BIGINT), CAST({days} AS BIGINT))"
        return Term(f"list_transform({gaps}, lambda i: {start.sql} + CAST(i AS INTEGER))", array_of(DATE))
    if start.type == stop.type == DATE and step[0].type.name == "interval year to month":
        if not (literal := step[0].sql.removesuffix("::INTEGER")).isdigit() or literal == "0":
            raise RefusedError("sequence with this step", "Write a positive interval.", call.node)
        made = f"generate_series({start.sql}, {stop.sql}, to_months({literal}))"
        refusal = "error('NOT_SUPPORTED: a sequence of months from this date is not run on the laptop')"
        count = f"datesub('month', {start.sql}, {stop.sql}) // {literal} + 1"
        fits = f"CASE WHEN day({start.sql}) > 28 OR {start.sql} > {stop.sql} THEN {refusal} WHEN t_same_width({count})"
        fits += f" THEN {made} END"
        return Term(f"CAST({fits} AS DATE[])", array_of(DATE))
    raise RefusedError(f"sequence from {start.type} to {stop.type}", "Use whole numbers or dates.", call.node)


@function("array_join")
def array_join(call: Call) -> Term:
    call.need(ANY_ARRAY, *(TEXT for _ in call.terms[1:3]))
    element = plain(call)
    if len(call.terms) < 2 or element.name not in ("varchar", "tinyint", "smallint", "integer", "bigint", "boolean"):
        raise RefusedError(f"array_join of {call.first.type}", "Cast its elements to varchar.", call.node)
    texts = call.first.sql if element.name == "varchar" else f"CAST({call.first.sql} AS VARCHAR[])"
    if len(call.terms) == 3:
        return Term(f"t_array_join({texts}, {call.terms[1].sql}, {call.terms[2].sql})", Type("varchar"))
    return Term(f"array_to_string({texts}, {call.terms[1].sql})", Type("varchar"))
