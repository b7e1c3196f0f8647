"""Functions of URLs."""

from __future__ import annotations

from local.engines.athena_functions import TEXT, Call, Plain, function
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, VARCHAR

PARTS = {"protocol": "scheme", "host": "host", "path": "path", "query": "query", "fragment": "fragment"}

for _name, _plain in {
    "url_extract_port": Plain((TEXT,), BIGINT, "t_url_port"),
    "url_extract_parameter": Plain((TEXT, TEXT), VARCHAR, "t_url_parameter"),
    "url_decode": Plain((TEXT,), VARCHAR, "t_url_decode"),
    "url_encode": Plain((TEXT,), VARCHAR, "t_url_encode"),
}.items():
    function(_name)(_plain)


@function(*(f"url_extract_{part}" for part in PARTS))
def extract(call: Call) -> Term:
    call.need(TEXT)
    return Term(f"t_url_extract({call.first.sql}, '{PARTS[call.name.removeprefix('url_extract_')]}')", VARCHAR)
