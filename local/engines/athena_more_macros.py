"""Macros of arrays, maps, texts, bits and times; see athena_macros."""

from __future__ import annotations

OUT_OF_RANGE = "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length"
MISSING_KEY = "INVALID_FUNCTION_ARGUMENT: Key not present in map"
TWICE = "NOT_SUPPORTED: A time that clocks of the zone show twice or never is not run on the laptop"
TIES = "INTERVAL 30 MINUTE", "INTERVAL 1 HOUR", "INTERVAL 2 HOUR"


MORE = (
    # arrays: NULL is a value for Athena, and no such thing for DuckDB's own searches
    f"""t_subscript(a, i) AS CASE WHEN a IS NULL OR i IS NULL THEN NULL
        WHEN i = 0 THEN t_fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
        WHEN i < 0 THEN t_fail('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i)
        WHEN i > len(a) THEN t_fail('{OUT_OF_RANGE}: ' || i || ' > ' || len(a)) ELSE a[i] END""",
    """t_element(a, i) AS CASE WHEN a IS NULL OR i IS NULL THEN NULL
        WHEN i = 0 THEN t_fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') ELSE a[i] END""",
    f"""t_value_of(m, k) AS CASE WHEN m IS NULL OR k IS NULL THEN NULL WHEN map_contains(m, k) THEN m[k]
        ELSE t_fail('{MISSING_KEY}: ' || k) END""",
    """t_any(l) AS CASE WHEN l IS NULL THEN NULL WHEN list_contains(l, true) THEN true
        WHEN len(l) > list_count(l) THEN NULL ELSE false END""",
    """t_all(l) AS CASE WHEN l IS NULL THEN NULL WHEN list_contains(l, false) THEN false
        WHEN len(l) > list_count(l) THEN NULL ELSE true END""",
    """t_slice(a, s, n) AS CASE WHEN a IS NULL OR s IS NULL OR n IS NULL THEN NULL
        WHEN n < 0 THEN t_fail('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0')
        WHEN s = 0 THEN t_fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
        WHEN n = 0 OR s > len(a) OR s < -len(a) THEN a[1:0]
        WHEN s > 0 THEN a[s:s + n - 1] ELSE a[len(a) + s + 1:least(len(a), len(a) + s + n)] END""",
    "t_position(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL ELSE coalesce(list_position(a, x), 0) END",
    """t_extreme_of(a, found) AS CASE WHEN a IS NULL OR len(a) > list_count(a) THEN NULL ELSE found END""",
    """t_distinct(a) AS list_filter(a, lambda x, i: CASE WHEN x IS NULL
        THEN len(list_filter(a[1:i], lambda y: y IS NULL)) = 1 ELSE list_position(a, x) = i END)""",
    "t_remove(a, v) AS CASE WHEN v IS NULL THEN NULL ELSE list_filter(a, lambda x: x IS NULL OR x <> v) END",
    """t_overlap(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN true
        WHEN (len(a) > list_count(a) AND len(b) > 0) OR (len(b) > list_count(b) AND len(a) > 0) THEN NULL
        ELSE false END""",
    "t_entries(m) AS CASE WHEN m IS NULL THEN NULL ELSE map_entries(m) END",
    """t_same_width(n) AS CASE WHEN n > 10000 THEN
        t_fail('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries')
        ELSE true END""",
    """t_sequence(a, b, s) AS CASE WHEN a IS NULL OR b IS NULL OR s IS NULL THEN NULL WHEN s = 0
        OR (b - a) * sign(s) < 0
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if '
        || 'step is greater than zero otherwise stop should be less than or equal to start')
        WHEN t_same_width((b - a) // s + 1) THEN generate_series(a, b, s) END""",
    # texts
    """t_split_part(x, d, n) AS CASE WHEN x IS NULL OR d IS NULL OR n IS NULL THEN NULL
        WHEN n <= 0 THEN t_fail('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero')
        WHEN d = '' THEN error('NOT_SUPPORTED: split_part by an empty text is not run on the laptop')
        ELSE string_split(x, d)[n] END""",
    """t_split(x, d) AS CASE WHEN x IS NULL THEN NULL WHEN d = ''
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string')
        ELSE string_split(x, d) END""",
    *(
        f"""t_{name}(x, n, p) AS CASE WHEN x IS NULL OR n IS NULL OR p IS NULL THEN NULL WHEN p = ''
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: Padding string must not be empty')
        WHEN n < 0 THEN t_fail('INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]')
        ELSE {name}(x, CAST(n AS INTEGER), p) END"""
        for name in ("lpad", "rpad")
    ),
    """t_codepoint(x) AS CASE WHEN length(x) = 1 THEN unicode(x) WHEN x IS NOT NULL
        THEN error('NOT_SUPPORTED: codepoint of a text that is not one letter is not run on the laptop') END""",
    """t_chr(n) AS CASE WHEN n = 0 THEN error('NOT_SUPPORTED: chr(0) is not run on the laptop') WHEN n < 0
        OR n > 1114111 OR n BETWEEN 55296 AND 57343
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: ' || n)
        ELSE chr(CAST(n AS INTEGER)) END""",
    """t_matched(x, odd, result) AS CASE WHEN regexp_matches(x, odd)
        THEN error('NOT_SUPPORTED: this pattern is not run on the laptop for the text: ' || x) ELSE result END""",
    """t_array_join(a, d, n) AS CASE WHEN a IS NULL OR d IS NULL OR n IS NULL THEN NULL
        ELSE array_to_string(list_transform(a, lambda x: coalesce(x, n)), d) END""",
    # numbers
    """t_width(x, low, high, n) AS CASE WHEN n <= 0
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0')
        WHEN low = high THEN t_fail('INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other')
        WHEN isnan(x) OR isinf(low) OR isinf(high) OR isnan(low) OR isnan(high) OR isinf(x)
        THEN error('NOT_SUPPORTED: width_bucket with this bound is not run on the laptop')
        WHEN low < high THEN CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1
            ELSE CAST(floor(n * (x - low) / (high - low)) AS BIGINT) + 1 END
        ELSE CASE WHEN x > low THEN 0 WHEN x <= high THEN n + 1
            ELSE CAST(floor(n * (low - x) / (low - high)) AS BIGINT) + 1 END END""",
    """t_to_base(x, r) AS CASE WHEN x IS NULL THEN NULL WHEN r NOT BETWEEN 2 AND 36
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: Radix must be between 2 and 36')
        WHEN x < 0 THEN '-' || lower(to_base(-x, CAST(r AS INTEGER))) ELSE lower(to_base(x, CAST(r AS INTEGER))) END""",
    """t_random(low, high, words) AS CASE WHEN low >= high THEN t_fail('INVALID_FUNCTION_ARGUMENT: ' || words)
        ELSE low + CAST(floor(random() * (high - low)) AS BIGINT) END""",
    """t_sign(x) AS CASE WHEN isnan(x) THEN x ELSE CAST(sign(x) AS DOUBLE) END""",
    # times
    """t_shift_date(d, ms) AS CASE WHEN ms % 86400000 <> 0
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date')
        ELSE d + CAST(ms // 86400000 AS INTEGER) END""",
    """t_finite(x) AS CASE WHEN isfinite(x) OR x IS NULL THEN x
        ELSE error('NOT_SUPPORTED: an interval without end is not run on the laptop') END""",
    "t_shift(t, ms) AS t + to_microseconds(ms * 1000)",
    "t_between(a, b) AS epoch_ms(b) - epoch_ms(a)",
    f"""t_moment(t, z) AS CASE WHEN timezone(z, timezone(z, t)) <> t OR {
        " OR ".join(f"timezone(z, timezone(z, t) {sign} {tie}) = t" for tie in TIES for sign in "+-")
    }
        THEN error('{TWICE}') ELSE timezone(z, t) END""",
    """t_day_text(ms) AS (ms // 86400000) || ' ' || strftime(make_timestamp((ms % 86400000) * 1000), '%H:%M:%S.%g')""",
    "t_interval_text(ms) AS CASE WHEN ms < 0 THEN '-' || t_day_text(-ms) ELSE t_day_text(ms) END",
    "t_millisecond(t) AS CAST(epoch_ms(t) % 1000 AS BIGINT)",
    "t_from_unix(s) AS timezone('UTC', make_timestamp(CAST(floor(s * 1000 + 0.5::DOUBLE) AS BIGINT) * 1000))",
    """t_iso(x, parsed) AS CASE WHEN x IS NULL OR parsed IS NOT NULL THEN parsed WHEN regexp_matches(x, '[0-9]')
        THEN error('NOT_SUPPORTED: the ISO 8601 text ''' || x || ''' is not run on the laptop')
        ELSE t_fail('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || x || '"') END""",
    """t_time_text(x, parsed) AS CASE WHEN x IS NULL OR parsed IS NOT NULL THEN parsed
        WHEN regexp_matches(x, '^[+-]?[0-9]|[0-9]$')
        THEN error('NOT_SUPPORTED: the time ''' || x || ''' is not read with this format on the laptop')
        ELSE t_fail('INVALID_FUNCTION_ARGUMENT: Invalid format: "' || x || '"') END""",
    # bytes
    """t_from_hex(x) AS CASE WHEN regexp_full_match(x, '([0-9A-Fa-f]{2})*') THEN unhex(x) WHEN x IS NOT NULL
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: invalid input length or character: ' || x) END""",
    """t_from_base64(x) AS CASE WHEN regexp_full_match(x, '([0-9A-Za-z+/]{4})*([0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?')
        THEN from_base64(x) WHEN x IS NOT NULL
        THEN error('NOT_SUPPORTED: this text is not read as base64 on the laptop') END""",
    *(f"t_{name}(b) AS unhex({name}(b))" for name in ("md5", "sha1", "sha256")),
    "t_bit_not(x) AS ~CAST(x AS BIGINT)",
    # doubles, where DuckDB has errors and Java has NaN or infinities
    "t_e() AS 2.718281828459045::DOUBLE",
    "t_nan() AS 'NaN'::DOUBLE",
    "t_infinity() AS 'Infinity'::DOUBLE",
    "t_sqrt(x) AS CASE WHEN x < 0 THEN 'NaN'::DOUBLE ELSE sqrt(x) END",
    *(
        f"t_{name}(x) AS CASE WHEN x < 0 THEN 'NaN'::DOUBLE WHEN x = 0 THEN '-Infinity'::DOUBLE ELSE {name}(x) END"
        for name in ("ln", "log2", "log10")
    ),
    """t_power(x, y) AS CASE WHEN x IS NULL THEN NULL WHEN y = 0 THEN 1::DOUBLE WHEN isnan(y)
        OR (abs(x) = 1 AND isinf(y)) THEN 'NaN'::DOUBLE
        ELSE power(x, y) END""",
    """t_times_of(n) AS CASE WHEN n < 0 OR n > 10000
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be from 0 to 10000')
        ELSE range(n) END""",
    """t_whole_days(ms) AS CASE WHEN ms % 86400000 <> 0
        THEN t_fail('INVALID_FUNCTION_ARGUMENT: sequence step must be a day interval if start and end values are dates')
        ELSE ms // 86400000 END""",
    "t_has(a, x) AS len(list_filter(a, lambda y: y IS NOT DISTINCT FROM x)) > 0",
    """t_intersect(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(a) < len(b)
        THEN t_distinct(list_filter(b, lambda x: t_has(a, x)))
        ELSE t_distinct(list_filter(a, lambda x: t_has(b, x))) END""",
    """t_except(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL
        ELSE t_distinct(list_filter(a, lambda x: NOT t_has(b, x))) END""",
    *(f"t_{name}(x) AS CASE WHEN abs(x) > 1 THEN 'NaN'::DOUBLE ELSE {name}(x) END" for name in ("asin", "acos")),
    "t_log(b, x) AS t_ln(x) / t_ln(b)",
)
