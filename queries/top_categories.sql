-- Which categories of events earn most
SELECT category_group, category_name, count(*) AS sales, sum(quantity_sold) AS tickets, sum(price_paid) AS revenue
FROM ${gold}.sales_by_category
GROUP BY category_group, category_name
ORDER BY revenue DESC
