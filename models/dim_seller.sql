-- Each user who has listed or sold tickets. Listings and sales are added up apart: a join of both would multiply them.
WITH listed AS (
    SELECT
        seller_id,
        count(*) AS listings,
        sum(num_tickets) AS tickets_listed
    FROM ecommerce_listing
    GROUP BY seller_id
),

sold AS (
    SELECT
        seller_id,
        count(*) AS sales,
        sum(quantity_sold) AS tickets_sold,
        sum(price_paid) AS revenue,
        sum(commission) AS commission,
        min(sold_at) AS first_sold_at,
        max(sold_at) AS last_sold_at
    FROM ecommerce_sales
    GROUP BY seller_id
)

SELECT
    u.user_id AS seller_id,
    u.username,
    u.first_name,
    u.last_name,
    u.city,
    u.state,
    coalesce(listed.listings, 0) AS listings,
    coalesce(listed.tickets_listed, 0) AS tickets_listed,
    coalesce(sold.sales, 0) AS sales,
    coalesce(sold.tickets_sold, 0) AS tickets_sold,
    CAST(coalesce(sold.revenue, 0) AS DECIMAL(18, 2)) AS revenue,
    CAST(coalesce(sold.commission, 0) AS DECIMAL(18, 2)) AS commission,
    sold.first_sold_at,
    sold.last_sold_at
FROM saas_users AS u
LEFT JOIN listed ON listed.seller_id = u.user_id
LEFT JOIN sold ON sold.seller_id = u.user_id
WHERE listed.seller_id IS NOT NULL OR sold.seller_id IS NOT NULL
