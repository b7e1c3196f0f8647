{{ config(materialized='view') }}
select order_id, customer_id, amount, day, cast(changed_at as timestamp(3)) as changed_at
from {{ source('silver', 'orders') }}
where status = 'paid'
