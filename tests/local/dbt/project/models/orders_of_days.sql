{{ config(materialized='incremental', incremental_strategy='insert_overwrite', table_type='hive', format='parquet',
          partitioned_by=['day']) }}
select order_id, amount, day
from {{ source('silver', 'orders') }}
{% if is_incremental() %}
where day >= date '2026-01-02'
{% endif %}
