-- Sales of each month and group of categories
CREATE OR REPLACE VIEW ${gold}.sales_by_month AS
SELECT
    year,
    month,
    category_group,
    count(*) AS sales, -- How many sales were made
    CAST(sum(quantity_sold) AS bigint) AS tickets, -- How many tickets were sold
    CAST(sum(price_paid) AS decimal(18,2)) AS revenue, -- What buyers paid, in US dollars
    CAST(sum(commission) AS decimal(18,2)) AS commission -- What the marketplace keeps of it, in US dollars
FROM ${gold}.sales_by_date
GROUP BY year, month, category_group
