-- Doses given in each week, of the sites where five patients or more were given the vaccine in it
CREATE OR REPLACE VIEW ${gold}.weekly_doses AS
SELECT
    week,
    vaccine_code,
    count(*) AS sites, -- How many sites gave it to five patients or more
    CAST(sum(doses) AS bigint) AS doses -- How many doses they gave together
FROM ${gold}.doses_by_vaccine_site_week
GROUP BY week, vaccine_code
