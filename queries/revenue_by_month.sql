-- What was sold in each month
SELECT year, month, count(*) AS sales, sum(price_paid) AS revenue, sum(commission) AS commission
FROM ${gold}.sales_by_date
GROUP BY year, month
ORDER BY min(calendar_date)
