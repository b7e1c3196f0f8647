-- What was given where and when; a shot of unknown outcome or reported in error is none. Groups of fewer than five
-- patients are left out, as the contract promises.
SELECT
  vaccine_code,
  site_id,
  cast(date_trunc('week', administered_at) AS date) AS week,
  count(*) AS doses,
  count(DISTINCT patient_id) AS patients
FROM clinic_immunizations
WHERE status = 'completed'
GROUP BY vaccine_code, site_id, cast(date_trunc('week', administered_at) AS date)
HAVING count(DISTINCT patient_id) >= 5
