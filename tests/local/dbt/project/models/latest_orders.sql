{{ config(materialized='incremental', incremental_strategy='merge', table_type='iceberg', unique_key='order_id',
          partitioned_by=['day(changed_at)']) }}
select order_id, customer_id, amount, status, cast(changed_at as timestamp(6)) as changed_at
from {{ source('silver', 'orders') }}
{% if is_incremental() %}
where changed_at > (select max(changed_at) from {{ this }})
{% endif %}
