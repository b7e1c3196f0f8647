{{ config(materialized='table', table_type='hive', format='parquet', partitioned_by=['day']) }}
select count(*) as orders, sum(amount) as amount, day
from {{ ref('paid_orders') }}
group by day
