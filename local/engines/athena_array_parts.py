"""Arrays made of an array's parts: ngrams, and whether a sequence is in it."""

from __future__ import annotations

from local.engines.athena_arrays import both
from local.engines.athena_functions import ANY_ARRAY, WHOLE, Call, function
from local.engines.athena_scope import Term
from local.engines.athena_types import BOOLEAN, array_of


@function("ngrams")
def ngrams(call: Call) -> Term:
    call.need(ANY_ARRAY, WHOLE)
    return Term(f"t_ngrams({call.first.sql}, CAST({call.terms[1].sql} AS BIGINT))", array_of(call.first.type))


@function("contains_sequence")
def contains_sequence(call: Call) -> Term:
    array, sequence, _ = both(call)
    return Term(f"t_has_sequence({array}, {sequence})", BOOLEAN)
