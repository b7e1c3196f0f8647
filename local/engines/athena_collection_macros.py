"""Macros of arrays and maps that are made of others; see athena_macros."""

from __future__ import annotations

FIRST_TWICE = "CAST(list_filter({keys}, lambda x, i: list_position({keys}, x) < i)[1] AS VARCHAR)"


def unique(keys: str) -> str:
    """Whether no key is there twice."""
    return f"len({keys}) > list_unique({keys})"


COLLECTIONS = (
    # `words` and `after` stand around the key that is there twice
    f"""t_map(k, v, words, after) AS CASE WHEN k IS NULL OR v IS NULL THEN NULL
        WHEN len(k) <> len(v) THEN t_fail('INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length')
        WHEN len(k) > list_count(k) THEN t_fail('INVALID_FUNCTION_ARGUMENT: map key cannot be null')
        WHEN {unique("k")} THEN t_fail(words || {FIRST_TWICE.format(keys="k")} || after)
        ELSE map(k, v) END""",
    """t_whole_entries(a) AS CASE WHEN len(a) > list_count(a)
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: map entry cannot be null') ELSE a END""",
    f"""t_map_of(pairs) AS CASE WHEN pairs IS NULL THEN NULL
        WHEN {unique("list_transform(pairs, lambda p: p.k)")}
        THEN error('NOT_SUPPORTED: map_agg with a key twice is not run on the laptop')
        ELSE map_from_entries(pairs) END""",
    """t_gathered(pairs, keys) AS CASE WHEN pairs IS NULL THEN NULL
        WHEN len(keys) > list_count(keys) THEN t_fail('INVALID_FUNCTION_ARGUMENT: map key cannot be null')
        ELSE map(keys, list_transform(keys, lambda x: list_transform(
        list_filter(pairs, lambda p: p.k = x), lambda p: p.v))) END""",
    "t_multimap(pairs) AS t_gathered(pairs, t_distinct(list_transform(pairs, lambda p: p.k)))",
    """t_ngrams(a, n) AS CASE WHEN a IS NULL OR n IS NULL THEN NULL
        WHEN n <= 0 THEN t_fail('INVALID_FUNCTION_ARGUMENT: N must be positive')
        WHEN n >= len(a) THEN [a] ELSE list_transform(range(1, len(a) - n + 2), lambda i: a[i:i + n - 1]) END""",
    """t_has_sequence(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(b) = 0 THEN true
        ELSE len(list_filter(range(1, len(a) - len(b) + 2), lambda i: a[i:i + len(b) - 1] = b)) > 0 END""",
    """t_compared(c) AS CASE WHEN c IN (-1, 0, 1) THEN c
        ELSE t_fail('INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1') END""",
    """t_bin(x, bins) AS CASE WHEN x IS NULL OR bins IS NULL THEN NULL
        WHEN len(bins) = 0 THEN t_fail('INVALID_FUNCTION_ARGUMENT: Bins cannot be an empty array')
        WHEN isnan(x) THEN t_fail('INVALID_FUNCTION_ARGUMENT: Operand cannot be NaN')
        WHEN len(bins) > list_count(bins) OR list_sort(bins) <> bins
        OR len(list_filter(bins, lambda b: NOT isfinite(b))) > 0
        THEN error('NOT_SUPPORTED: width_bucket with these bins is not run on the laptop')
        ELSE len(list_filter(bins, lambda b: b <= x)) END""",
    # arrays with NULL in them are in no order
    """t_ordered(a, missing, told) AS CASE WHEN missing
        THEN error('NOT_SUPPORTED: ' || told || ' comparison not supported for values with null elements')
        ELSE a END""",
)
