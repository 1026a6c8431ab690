-- Sessions by day and policy type. Types stand in rows of their own: one session may be counted under two of them.
SELECT day, policy.policy_type AS policy_type,
  SUM(COALESCE(summary.total_successful_session_count, 0)) AS successful,
  SUM(COALESCE(summary.total_failure_session_count, 0)) AS failed
FROM tls_reports
CROSS JOIN UNNEST(report.policies) AS p (policy, summary, failure_details)
WHERE tls_reports.policy_domain IN ('contoso.example') AND day BETWEEN '2026-11-01' AND '2026-11-30'
GROUP BY day, policy.policy_type
ORDER BY day, policy_type
