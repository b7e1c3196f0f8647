-- Sales that were refused: how many by each rule, and when one was last seen
SELECT rule, count(*) AS refused, max("_last_run") AS last_run
FROM ${silver}.ecommerce_sales__quarantine
CROSS JOIN UNNEST("_rules") AS broken (rule)
WHERE "_state" = 'open'
GROUP BY rule
ORDER BY refused DESC, rule
