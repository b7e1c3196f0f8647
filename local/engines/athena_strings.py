"""More functions of texts: padding, splitting, letters by number, distances."""

from __future__ import annotations

from local.engines.athena_errors import RefusedError
from local.engines.athena_functions import TEXT, WHOLE, Call, Plain, function
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, INTEGER, VARCHAR, array_of

for _name, _plain in {
    "lpad": Plain((TEXT, WHOLE, TEXT), VARCHAR, "t_lpad"),
    "rpad": Plain((TEXT, WHOLE, TEXT), VARCHAR, "t_rpad"),
    "split_part": Plain((TEXT, TEXT, WHOLE), VARCHAR, "t_split_part"),
    "chr": Plain((WHOLE,), VARCHAR, "t_chr"),
    "codepoint": Plain((TEXT,), INTEGER, "t_codepoint"),
    "levenshtein_distance": Plain((TEXT, TEXT), BIGINT, "t_levenshtein"),
    "hamming_distance": Plain((TEXT, TEXT), BIGINT, "t_hamming"),
}.items():
    function(_name)(_plain)


@function("split")
def split(call: Call) -> Term:
    call.need(TEXT, TEXT)
    return Term(f"t_split({call.first.sql}, {call.terms[1].sql})", array_of(VARCHAR))


@function("reverse")
def reverse(call: Call) -> Term:
    call.need(("varchar", "array"))
    if call.first.type.element is not None:
        return Term(f"list_reverse({call.first.sql})", call.first.type)
    return Term(f"t_reverse({call.first.sql})", VARCHAR)


@function("translate")
def translate(call: Call) -> Term:
    call.need(TEXT, TEXT, TEXT)
    return Term(f"translate({', '.join(term.sql for term in call.terms)})", VARCHAR)


@function("concat_ws")
def concat_ws(call: Call) -> Term:
    if len(call.terms) < 2:
        raise call.wrong()
    if call.terms[1].type.element is not None:
        raise RefusedError("concat_ws of an array", "Use array_join.", call.node)
    call.need(*(TEXT for _ in call.terms))
    return Term(f"concat_ws({', '.join(f'CAST({term.sql} AS VARCHAR)' for term in call.terms)})", VARCHAR)
