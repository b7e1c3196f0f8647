select * from {{ ref('sales_by_day') }} where amount < 0
