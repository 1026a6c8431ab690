"""Which names receive mail, what each has, and the first spec of each. Pure: zones and DNS answers come from
`mailtls.observe`.
"""
