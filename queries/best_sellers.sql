-- The twenty sellers whose tickets earned most
SELECT username, city, state, listings, tickets_sold, revenue
FROM ${gold}.dim_seller
ORDER BY revenue DESC, username
LIMIT 20
