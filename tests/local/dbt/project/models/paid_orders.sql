{{ config(materialized='view') }}
select order_id, customer_id, amount, day, changed_at
from {{ source('silver', 'orders') }}
where status = 'paid'
