-- Failures by result type and policy type. A detail without a count is one session, as everywhere in mailtls.
-- Details overlap and differ from the summary (RFC 8460 section 4): they add up to no total, and sessions that
-- no detail explains are missing here.
SELECT result_type, policy.policy_type AS policy_type, SUM(COALESCE(failed_session_count, 1)) AS failed
FROM tls_reports
CROSS JOIN UNNEST(report.policies) AS p (policy, summary, failure_details)
CROSS JOIN UNNEST(p.failure_details) AS d (
  result_type, result_type_text, sending_mta_ip, receiving_mx_hostname, receiving_mx_helo, receiving_ip,
  failed_session_count, additional_information, failure_reason_code)
WHERE tls_reports.policy_domain IN ('contoso.example') AND day BETWEEN '2026-11-01' AND '2026-11-30'
  AND COALESCE(failed_session_count, 1) > 0
GROUP BY result_type, policy.policy_type
ORDER BY failed DESC, result_type
