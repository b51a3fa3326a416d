-- Of the view, and of the materialized view (2.3).
AS
SELECT j.id AS job_id,
  CASE WHEN j.archived_at IS NOT NULL THEN 'archived' WHEN j.completed_at IS NOT NULL THEN 'completed'
       WHEN j.is_gallery_only THEN 'imported' WHEN p.collected_price IS NOT NULL THEN 'imported'
       WHEN pay.paid_at IS NOT NULL THEN 'deposit_paid' WHEN a.id IS NOT NULL AND b.questionnaire_id IS NOT NULL THEN 'answered'
       WHEN b.signed_at IS NOT NULL THEN 'signed_without_questionnaire' WHEN b.accepted_at IS NOT NULL THEN 'accepted'
       WHEN b.id IS NOT NULL THEN 'sent' ELSE 'not_sent' END AS current_status,
  greatest(j.archived_at, j.completed_at, pay.paid_at, b.inserted_at, j.inserted_at)::timestamp(0) AS changed_at,
  CASE WHEN pay.is_with_cash THEN false WHEN j.is_gallery_only THEN false
       WHEN pay.paid_at IS NULL AND p.collected_price IS NULL THEN true ELSE false END AS is_lead
FROM jobs j LEFT JOIN packages p ON p.id = j.package_id LEFT JOIN booking_proposals b ON b.job_id = j.id
LEFT JOIN questionnaire_answers a ON a.proposal_id = b.id
LEFT JOIN (SELECT DISTINCT ON (job_id) job_id, paid_at, is_with_cash FROM payment_schedules
  WHERE paid_at IS NOT NULL OR is_with_cash ORDER BY job_id, paid_at, is_with_cash) pay ON pay.job_id = j.id
