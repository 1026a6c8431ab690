"""RFC 8460 (TLS-RPT): the TXT record, the report that is mailed, what its failures mean. Pure, standard library only."""
