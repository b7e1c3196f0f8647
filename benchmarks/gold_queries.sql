-- Twenty questions to the gold tables, in words that Athena, DuckDB and Spark share; each has one right order of its rows.
SELECT count(*) AS sales FROM sales_by_date;

SELECT year, month, count(*) AS sales, sum(price_paid) AS revenue, sum(commission) AS commission
FROM sales_by_date GROUP BY year, month ORDER BY min(calendar_date), month;

SELECT category_group, count(*) AS sales, sum(price_paid) AS revenue
FROM sales_by_date WHERE year = 2025 AND month = 12 GROUP BY category_group ORDER BY category_group;

SELECT category_group, category_name, count(*) AS sales, sum(quantity_sold) AS tickets, sum(price_paid) AS revenue
FROM sales_by_category GROUP BY category_group, category_name ORDER BY category_group, category_name;

SELECT sale_id, price_paid, seller FROM sales_by_category
WHERE category_name = 'Opera' ORDER BY price_paid DESC, sale_id LIMIT 20;

SELECT sale_id, calendar_date, sale_amount, commission
FROM sales_by_category WHERE category_group = 'Shows' AND category_name = 'Opera' ORDER BY sale_id LIMIT 1000;

SELECT username, city, state, tickets_sold, revenue FROM dim_seller ORDER BY revenue DESC, username LIMIT 20;

SELECT state, count(*) AS sellers, sum(revenue) AS revenue FROM dim_seller GROUP BY state ORDER BY state;

SELECT event_name, venue_name, city, tickets_listed, tickets_sold FROM dim_event
WHERE tickets_listed > 0 ORDER BY CAST(tickets_sold AS double) / tickets_listed, event_id LIMIT 50;

SELECT venue_name, city, sum(sales) AS sales, sum(revenue) AS revenue
FROM dim_event GROUP BY venue_name, city ORDER BY revenue DESC, venue_name, city LIMIT 10;

SELECT calendar_date, count(*) AS sales, max(price_paid) AS dearest FROM sales_by_date
WHERE year = 2025 AND month IN (6, 7) GROUP BY calendar_date ORDER BY calendar_date;

SELECT buyer, count(*) AS sales, sum(price_paid) AS paid FROM sales_by_date
GROUP BY buyer HAVING count(*) > 5 ORDER BY paid DESC, buyer LIMIT 25;

SELECT count(DISTINCT seller) AS sellers, count(DISTINCT buyer) AS buyers FROM sales_by_date WHERE month = 3;

SELECT month, category_name, revenue FROM (
  SELECT month, category_name, sum(price_paid) AS revenue,
    row_number() OVER (PARTITION BY month ORDER BY sum(price_paid) DESC, category_name) AS place
  FROM sales_by_date WHERE month IS NOT NULL GROUP BY month, category_name) AS ranked
WHERE place <= 3 ORDER BY month, place;

SELECT calendar_date, revenue, sum(revenue) OVER (ORDER BY calendar_date) AS so_far FROM (
  SELECT calendar_date, sum(price_paid) AS revenue FROM sales_by_date
  WHERE month <= 3 AND calendar_date IS NOT NULL GROUP BY calendar_date) AS days
ORDER BY calendar_date;

SELECT CASE WHEN price_paid < 100 THEN 'low' WHEN price_paid < 1000 THEN 'middle' ELSE 'high' END AS price,
  count(*) AS sales, min(price_paid) AS least, max(price_paid) AS most
FROM sales_by_category GROUP BY 1 ORDER BY 1;

SELECT upper(substr(event_name, 1, 1)) AS letter, count(*) AS events, sum(tickets_sold) AS sold
FROM dim_event WHERE event_name IS NOT NULL GROUP BY 1 ORDER BY 1;

SELECT e.category_name, count(*) AS events, sum(e.sales) AS sales, max(s.revenue) AS best FROM dim_event AS e
JOIN (SELECT event_name, sum(price_paid) AS revenue FROM sales_by_date GROUP BY event_name) AS s
  ON s.event_name = e.event_name GROUP BY e.category_name ORDER BY e.category_name;

SELECT seller, sale_amount FROM sales_by_date
WHERE sale_amount = (SELECT max(sale_amount) FROM sales_by_date WHERE month = 5) AND month = 5 ORDER BY sale_id;

SELECT 'sold' AS kind, count(*) AS events FROM dim_event WHERE sales > 0
UNION ALL SELECT 'unsold', count(*) FROM dim_event WHERE sales = 0 ORDER BY kind
