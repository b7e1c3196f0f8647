-- Which cohorts are far from complete, and for which vaccine
SELECT cohort, vaccine_code, patients, complete, coverage
FROM ${gold}.coverage_by_cohort
WHERE coverage < DECIMAL '0.9000'
ORDER BY coverage, cohort, vaccine_code
LIMIT 50
