"""Resource hooks, on which the publish gates stand: when they run, what they see, and what their failure does."""

from engine_program import Program

from sandbox.cloud.cloudflare import Cloudflare
from sandbox.cloud.cloudflare.account import id_of_zone

# Its settings: the text of the record, and whether the gate is closed. It does without the Cloudflare SDK, which takes
# seconds to import.
PROGRAM = """
import asyncio
import pulumi

config = pulumi.Config()


async def gate(args):
    await asyncio.sleep(0)
    old = args.old_inputs or {}
    print(f"gate saw {old.get('content')} then {args.new_inputs['content']}")
    if config.get_bool("closed"):
        raise Exception("contoso.example: the edge serves the old file")


hook = pulumi.ResourceHook("gate", gate)
binding = pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])
record = {
    "zoneId": "ZONE_ID",
    "name": "_mta-sts.contoso.example",
    "type": "TXT",
    "content": f'"{config.require("text")}"',
    "ttl": 300,
}
pulumi.CustomResource(
    "cloudflare:index/dnsRecord:DnsRecord", "record", record, pulumi.ResourceOptions(hooks=binding)
)
""".replace("ZONE_ID", id_of_zone("contoso.example"))


def texts(cloudflare: Cloudflare) -> list[str]:
    return [record.content for record in cloudflare.records("contoso.example")]


def test_a_hook_runs_before_its_record_changes_and_only_then(program: Program, cloudflare: Cloudflare) -> None:
    program.write(PROGRAM)
    assert "gate saw" not in program.run("preview", "-c", "text=one").stdout
    assert 'gate saw None then "one"' in program.up("-c", "text=one")
    assert "gate saw" not in program.up("--refresh", "-c", "text=one")
    assert 'gate saw "one" then "two"' in program.up("-c", "text=two")
    assert texts(cloudflare) == ['"two"']
    assert "gate saw" not in program.destroy()
    assert texts(cloudflare) == []


def test_a_hook_that_fails_leaves_everything_as_it_was(program: Program, cloudflare: Cloudflare) -> None:
    program.write(PROGRAM)
    assert "contoso.example: the edge serves the old file" in program.fails("-c", "text=one", "-c", "closed=true")
    assert texts(cloudflare) == []
    program.up("-c", "text=one", "-c", "closed=false")
    assert "contoso.example: the edge serves the old file" in program.fails(
        "--continue-on-error", "-c", "text=two", "-c", "closed=true"
    )
    assert texts(cloudflare) == ['"one"']
    assert 'gate saw "one" then "two"' in program.up("-c", "text=two", "-c", "closed=false")
    assert texts(cloudflare) == ['"two"']


# Every gate waits until all of them wait.
MANY = """
import asyncio
import pulumi

waiting = 0


async def gate(args):
    global waiting
    waiting += 1
    while waiting < 40:
        await asyncio.sleep(0.01)


for number in range(40):
    hook = pulumi.ResourceHook(f"gate-{number}", gate)
    record = {
        "zoneId": "ZONE_ID",
        "name": f"_mta-sts.brand{number}.contoso.example",
        "type": "TXT",
        "content": '"text"',
        "ttl": 300,
    }
    opts = pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[hook]))
    pulumi.CustomResource("cloudflare:index/dnsRecord:DnsRecord", f"record-{number}", record, opts)
""".replace("ZONE_ID", id_of_zone("contoso.example"))


def test_many_hooks_run_at_the_same_time(program: Program, cloudflare: Cloudflare) -> None:
    program.write(MANY).up("--parallel", "64")
    assert len(texts(cloudflare)) == 40
    program.destroy()
