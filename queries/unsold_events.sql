-- Events with many tickets on offer and few sold
SELECT event_name, starts_at, venue_name, city, tickets_listed, tickets_sold
FROM ${gold}.dim_event
WHERE tickets_listed > 0
ORDER BY CAST(tickets_sold AS double) / tickets_listed, event_id
LIMIT 50
