"""RFC 8461 (MTA-STS): the TXT record and the policy file. Pure, standard library only."""
