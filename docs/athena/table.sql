-- The stored reports as a table of Athena. Put your bucket in place of REPORTS-BUCKET, both times.
-- The days begin with your first report: put yours in place of 2026-01-01 if it is older.
CREATE EXTERNAL TABLE tls_reports (
  mail string,
  stored_at string,
  signer string,
  report struct<
    organization_name: string,
    contact_info: string,
    report_id: string,
    date_range: struct<start_datetime: string, end_datetime: string>,
    policies: array<struct<
      policy: struct<
        policy_type: string,
        policy_type_text: string,
        policy_string: array<string>,
        policy_domain: string,
        mx_host: array<string>>,
      summary: struct<
        total_successful_session_count: bigint,
        total_failure_session_count: bigint>,
      failure_details: array<struct<
        result_type: string,
        result_type_text: string,
        sending_mta_ip: string,
        receiving_mx_hostname: string,
        receiving_mx_helo: string,
        receiving_ip: string,
        failed_session_count: bigint,
        additional_information: string,
        failure_reason_code: string>>>>,
    notes: array<string>>
)
PARTITIONED BY (policy_domain string, day string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES (
  'mapping.organization_name' = 'organization-name',
  'mapping.contact_info' = 'contact-info',
  'mapping.report_id' = 'report-id',
  'mapping.date_range' = 'date-range',
  'mapping.start_datetime' = 'start-datetime',
  'mapping.end_datetime' = 'end-datetime',
  'mapping.policy_type' = 'policy-type',
  'mapping.policy_type_text' = 'policy-type-text',
  'mapping.policy_string' = 'policy-string',
  'mapping.policy_domain' = 'policy-domain',
  'mapping.mx_host' = 'mx-host',
  'mapping.total_successful_session_count' = 'total-successful-session-count',
  'mapping.total_failure_session_count' = 'total-failure-session-count',
  'mapping.failure_details' = 'failure-details',
  'mapping.result_type' = 'result-type',
  'mapping.result_type_text' = 'result-type-text',
  'mapping.sending_mta_ip' = 'sending-mta-ip',
  'mapping.receiving_mx_hostname' = 'receiving-mx-hostname',
  'mapping.receiving_mx_helo' = 'receiving-mx-helo',
  'mapping.receiving_ip' = 'receiving-ip',
  'mapping.failed_session_count' = 'failed-session-count',
  'mapping.additional_information' = 'additional-information',
  'mapping.failure_reason_code' = 'failure-reason-code'
)
LOCATION 's3://REPORTS-BUCKET/reports/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.policy_domain.type' = 'injected',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy-MM-dd',
  'projection.day.range' = '2026-01-01,NOW',
  'storage.location.template' = 's3://REPORTS-BUCKET/reports/${policy_domain}/${day}/'
)
