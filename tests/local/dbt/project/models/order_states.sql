{{ config(materialized='view') }}
-- a Hive table, as dbt makes the snapshot's, has milliseconds
select order_id, status, cast(changed_at as timestamp(3)) as changed_at
from {{ ref('latest_orders') }}
