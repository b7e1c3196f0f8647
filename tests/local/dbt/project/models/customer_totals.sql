{{ config(materialized='table', table_type='iceberg', partitioned_by=['bucket(customer_id, 2)']) }}
select c.customer_id, c.name, n.name as country, coalesce(sum(o.amount), 0) as amount
from {{ source('silver', 'customers') }} c
left join {{ ref('countries') }} n on n.code = c.country
left join {{ ref('paid_orders') }} o on o.customer_id = c.customer_id
group by 1, 2, 3
