-- What each group of categories earned in December 2025: one partition is read
SELECT category_group, count(*) AS sales, sum(price_paid) AS revenue
FROM ${gold}.sales_by_date
WHERE year = 2025 AND month = 12
GROUP BY category_group
ORDER BY revenue DESC
