"""Whether an account is ready for the first `pulumi up`. Pure: `mailtls.observe.account` asks, this room judges.

    wanted = read_stack_file(data, "stacks/Pulumi.production.yaml")
    for check in judge(wanted, seen):
        print(check.state, check.subject, check.told)

What could not be asked is never taken for well: a check is ok, a problem, or not asked.
"""
