-- Each sale with its event, seller, buyer, year and month, as the TICKIT demo's agg_tickit_sales_by_date.
SELECT
    s.sale_id,
    d.calendar_date,
    s.price_paid,
    s.quantity_sold,
    CAST(s.price_paid * s.quantity_sold AS DECIMAL(12, 2)) AS sale_amount,
    s.commission,
    CAST(round(100 * s.commission / (s.price_paid * s.quantity_sold), 2) AS DECIMAL(7, 2)) AS commission_percent,
    e.event_name,
    concat(seller.first_name, ' ', seller.last_name) AS seller,
    concat(buyer.first_name, ' ', buyer.last_name) AS buyer,
    c.category_group,
    c.category_name,
    d.year,
    d.month
FROM ecommerce_sales AS s
LEFT JOIN saas_users AS seller ON seller.user_id = s.seller_id
LEFT JOIN saas_users AS buyer ON buyer.user_id = s.buyer_id
LEFT JOIN saas_event AS e ON e.event_id = s.event_id
LEFT JOIN saas_category AS c ON c.category_id = e.category_id
LEFT JOIN ecommerce_date AS d ON d.date_id = s.date_id
