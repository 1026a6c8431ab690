"""What follows from a report: whether its mail is believed, which causes of failure it names, when a person hears of
one and in which words. Pure, and shared by all who read reports: the Lambda, the command, the controller.

    mail headers -> authenticity -> (tls_rpt: mail -> report -> ledger entry) -> causes -> alert_rules over alert_state
                                                                                       -> evidence -> alert_text
"""
