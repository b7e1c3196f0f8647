-- Each event with its venue and category. Listings and sales are added up apart: a join of both would multiply them.
WITH listed AS (
    SELECT
        event_id,
        count(*) AS listings,
        sum(num_tickets) AS tickets_listed
    FROM ecommerce_listing
    GROUP BY event_id
),

sold AS (
    SELECT
        event_id,
        count(*) AS sales,
        sum(quantity_sold) AS tickets_sold,
        sum(price_paid) AS revenue
    FROM ecommerce_sales
    GROUP BY event_id
)

SELECT
    e.event_id,
    e.event_name,
    e.starts_at,
    d.calendar_date,
    v.venue_name,
    v.city,
    v.state,
    v.seats,
    c.category_group,
    c.category_name,
    coalesce(listed.listings, 0) AS listings,
    coalesce(listed.tickets_listed, 0) AS tickets_listed,
    coalesce(sold.sales, 0) AS sales,
    coalesce(sold.tickets_sold, 0) AS tickets_sold,
    CAST(coalesce(sold.revenue, 0) AS DECIMAL(18, 2)) AS revenue
FROM saas_event AS e
LEFT JOIN saas_venue AS v ON v.venue_id = e.venue_id
LEFT JOIN saas_category AS c ON c.category_id = e.category_id
LEFT JOIN ecommerce_date AS d ON d.date_id = e.date_id
LEFT JOIN listed ON listed.event_id = e.event_id
LEFT JOIN sold ON sold.event_id = e.event_id
