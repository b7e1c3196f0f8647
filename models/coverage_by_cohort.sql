-- A patient's latest event says when they were born, their latest shot of a vaccine how many doses its series has.
-- Groups of fewer than five patients are left out, as the contract promises.
WITH patients AS (
  SELECT patient_id, year(max_by(birth_date, struct(event_time, event_id))) AS cohort
  FROM clinic_immunizations
  WHERE status <> 'entered_in_error'
  GROUP BY patient_id
),
cohorts AS (
  SELECT cohort, count(*) AS patients
  FROM patients
  GROUP BY cohort
),
series AS (
  SELECT
    patient_id,
    vaccine_code,
    count(DISTINCT dose_number) >= max_by(series_doses, struct(administered_at, event_time, event_id)) AS is_complete
  FROM clinic_immunizations
  WHERE status = 'completed'
  GROUP BY patient_id, vaccine_code
),
covered AS (
  SELECT p.cohort, s.vaccine_code, count(*) AS begun, count_if(s.is_complete) AS complete
  FROM series s
  JOIN patients p ON s.patient_id = p.patient_id
  GROUP BY p.cohort, s.vaccine_code
)
SELECT
  c.cohort,
  v.vaccine_code,
  c.patients,
  v.begun,
  v.complete,
  cast(v.complete / c.patients AS decimal(5,4)) AS coverage
FROM covered v
JOIN cohorts c ON v.cohort = c.cohort
WHERE v.begun >= 5
