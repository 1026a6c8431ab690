"""The program: settings and specs in; a platform, policy hosts and records out.

    policy_specs/*.yaml -> specs -> policy text and id
              -> policy host (object, certificate, distribution) -> `mta-sts` -> edge gate -> `_mta-sts`;  `_smtp._tls`

What is wrong with settings, specs or the ways to the clouds, and what would take away what live domains need, is told
before anything is registered, in plain words. A live domain that no spec names stays as it is, and that is told when
all others are deployed.
"""

import datetime

import pulumi

from stacks.deployed import read_deployed
from stacks.domains import deploy_domains, load_specs, look_up_zones, warn_of_specs
from stacks.killed_runs import take_over_what_is_left
from stacks.plain_endings import end_in_plain_words
from stacks.platform_stack import deploy_platform, refer_to_platform
from stacks.refused_changes import refuse
from stacks.settings import Kind, read_settings
from stacks.still_live import keep_what_is_live, tell

settings = read_settings()
specs = load_specs(settings)
deployed = read_deployed()
refuse(settings, deployed)
warn_of_specs(specs, deployed)
look_up_zones(settings, specs)
end_in_plain_words()
take_over_what_is_left()

if settings.kind is Kind.DOMAINS:
    platform = refer_to_platform(settings)
else:
    platform = deploy_platform(settings)
    for name, value in platform.outputs().items():
        pulumi.export(name, value)

if settings.kind is not Kind.PLATFORM:
    wanted = keep_what_is_live(specs, deployed, settings, datetime.datetime.now(datetime.UTC).date())
    domains = deploy_domains(settings, wanted, platform, deployed)
    pulumi.export("policy_ids", domains.policy_ids)
    pulumi.export("policy_hosts", domains.policy_hosts)
    tell(wanted, preview=pulumi.runtime.is_dry_run())
