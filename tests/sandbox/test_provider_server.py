"""The protocol's server side over gRPC, with a resource type of the test's own: a lamp in a house of two rooms."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox.providers.protocol.driver import Driver, Refused
from sandbox.providers.protocol.resource_type import (
    AutoName,
    Call,
    Created,
    Found,
    Function,
    Gone,
    PartlyCreated,
    ProviderError,
    ResourceType,
    words,
)
from sandbox.providers.protocol.schema import Schema, Schemas
from sandbox.providers.protocol.server import Provider
from sandbox.providers.protocol.wire import UNKNOWN, Properties, Secret, plain

LAMP = "house:index/lamp:Lamp"
STRING = {"kind": "string"}
BULB = {
    "kind": "object",
    "name": "BulbArgs",
    "properties": {"watts": {"kind": "integer"}, "socket": STRING, "maker": STRING},
    "required": ["watts"],
}
INPUTS = {
    "kind": "object",
    "name": "LampArgs",
    "properties": {
        "name": STRING,
        "room": STRING,
        "bulb": BULB,
        "labels": {"kind": "map", "of": STRING},
        "switches": {"kind": "list", "of": STRING},
        "recipe": STRING,
        "serial": STRING,
        "smart": {"kind": "boolean"},
    },
    "required": ["bulb"],
}


class House:
    """The cloud. behave: what happens before a lamp is made."""

    def __init__(self, config: Properties) -> None:
        if config.get("burnt"):
            raise ProviderError("there is no house any more")
        self.config = config
        self.lamps: dict[str, Properties] = {}
        self.behave: Any = lambda _call: None


def _create(call: Call[House]) -> Created:
    call.cloud.behave(call)
    call.cloud.lamps[call.inputs["name"]] = dict(call.inputs)
    return Created(call.inputs["name"], _outputs(call))


def _outputs(call: Call[House]) -> Properties:
    return {"light": "warm", "serial": call.inputs.get("serial", "S-1")}


def _read(call: Call[House]) -> Found:
    if call.id not in call.cloud.lamps:
        raise Gone(f"no lamp {call.id}")
    seen = call.cloud.lamps[call.id]
    return Found(
        {key: seen.get(key) for key in INPUTS["properties"]}, {"light": "warm", "serial": seen.get("serial", "S-1")}
    )


def _update(call: Call[House]) -> Properties:
    call.cloud.lamps[call.id] = dict(call.inputs)
    return {"light": "cold"} if "bulb" in call.changed else {}


def _delete(call: Call[House]) -> None:
    if call.cloud.lamps.pop(call.id, None) is None:
        raise Gone(f"no lamp {call.id}")


TYPE: ResourceType[House] = ResourceType(
    LAMP,
    acts_on=words("name room bulb.watts bulb.socket labels.* switches recipe serial"),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    replace_on=words("name room"),
    computed=words("serial"),
    unknown_after={"light": words("bulb")},
    derived=lambda _house, inputs: {"address": f"{inputs.get('room')}/{inputs['name']}"},
    defaults={"room": "hall", "smart": False},
    name=AutoName(longest=24, lower_case=True),
    unordered=words("switches"),
    documents=words("recipe"),
    choices={"room": ("hall", "kitchen"), "smart": (False,)},
)
SCHEMA = Schema(LAMP, INPUTS, frozenset({"light", "address"}))
COUNT: Function[House] = Function(
    "house:index/countLamps:countLamps", arguments=words("room"), run=lambda house, _: {"count": len(house.lamps)}
)


@pytest.fixture
def house() -> House:
    return House({})


@pytest.fixture
def driver(house: House) -> Iterator[Driver]:
    provider = Provider("house", "1.2.3", Schemas("house", {LAMP: SCHEMA}), (TYPE,), (COUNT,), connect=lambda _: house)
    with Driver(provider) as ready:
        yield ready


ONE: Properties = {"bulb": {"watts": 5}}


# ------------------------------------------------------------------------------------------------------- inputs


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({}, "bulb is required and missing"),
        (ONE | {"colour": "red"}, "colour is no property of it"),
        ({"bulb": {"watt": 5}}, r"bulb.watt is no property of it \(did you mean 'watts'\?\)"),
        ({"bulb": {"watts": "5"}}, "bulb.watts expected an integer, got str '5'"),
        ({"bulb": {"watts": True}}, "bulb.watts expected an integer"),
        ({"bulb": [5]}, "bulb expected an object"),
        (ONE | {"switches": "one"}, "switches expected a list"),
        (ONE | {"switches": ["one", 2]}, r"switches\[1\] expected a string"),
        (ONE | {"labels": {"a.b": 1}}, "labels.a.b expected a string"),
        ({"bulb": {"watts": 5, "maker": "us"}}, "bulb.maker is known to the provider, but its stand-in does not act"),
        (ONE | {"smart": True}, "smart is True; it must be one of False"),
        (ONE | {"room": "attic"}, "room is 'attic'; it must be one of hall, kitchen"),
        (ONE | {"name": 5}, "name expected a string"),
    ],
)
def test_wrong_inputs_are_refused(driver: Driver, inputs: Properties, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        driver.check(LAMP, inputs)


def test_all_that_is_wrong_is_told_at_once(driver: Driver) -> None:
    with pytest.raises(Refused) as refused:
        driver.check(LAMP, {"colour": "red", "bulb": {"watts": "5"}})
    assert len(str(refused.value).splitlines()) == 2


def test_unknown_inputs_pass_and_stay_unknown(driver: Driver) -> None:
    checked = driver.check(LAMP, {"bulb": {"watts": UNKNOWN}, "labels": UNKNOWN, "room": UNKNOWN})
    assert checked["bulb"] == {"watts": UNKNOWN}
    assert checked["labels"] is UNKNOWN


def test_defaults_fill_what_is_left_out_and_nothing_else(driver: Driver) -> None:
    checked = driver.check(LAMP, ONE | {"name": "my-lamp"})
    assert checked == ONE | {"name": "my-lamp", "room": "hall", "smart": False, "__defaults": ["room", "smart"]}
    assert driver.check(LAMP, ONE | {"room": "kitchen"})["room"] == "kitchen"


# -------------------------------------------------------------------------------------------------------- names


def test_a_preview_and_its_update_give_the_same_name(driver: Driver) -> None:
    first, second = (driver.check(LAMP, ONE, name="My-Lamp")["name"] for _ in range(2))
    assert first == second
    assert first.startswith("my-lamp-")
    assert len(first) == len("my-lamp-") + 7


def test_an_automatic_name_stays(driver: Driver) -> None:
    lamp = driver.create(LAMP, ONE)
    assert driver.check(LAMP, ONE, lamp.inputs | {"name": "one-0000000"})["name"] == "one-0000000"
    assert driver.diff(lamp, ONE).kinds == {}


def test_an_automatic_name_does_not_take_over_one_of_the_programs(driver: Driver) -> None:
    lamp = driver.create(LAMP, ONE | {"name": "my-lamp"})
    assert driver.check(LAMP, ONE, lamp.inputs)["name"] != "my-lamp"


def test_a_name_that_gets_too_long_is_refused_not_cut(driver: Driver) -> None:
    assert driver.check(LAMP, ONE, name="x" * 16)["name"].startswith("x" * 16)
    with pytest.raises(Refused, match="longer than 24 characters"):
        driver.check(LAMP, ONE, name="x" * 17)


def test_automatic_naming_follows_the_stacks_setting(driver: Driver) -> None:
    options = provider_pb2.CheckRequest.AutonamingOptions
    enforced = options(mode=options.Mode.ENFORCE, proposed_name="Exactly-This")
    assert driver.check(LAMP, ONE, autonaming=enforced)["name"] == "exactly-this"
    with pytest.raises(Refused, match="name is required: automatic naming is switched off"):
        driver.check(LAMP, ONE, autonaming=options(mode=options.Mode.DISABLE))


@pytest.mark.parametrize(("named", "delete_first"), [({"name": "my-lamp"}, True), ({}, False)])
def test_a_lamp_with_a_name_of_the_programs_is_deleted_before_it_is_replaced(
    driver: Driver, named: Properties, delete_first: bool
) -> None:
    lamp = driver.create(LAMP, ONE | named)
    difference = driver.diff(lamp, ONE | named | {"room": "kitchen"})
    assert difference.replaces == ("room",)
    assert difference.delete_first is delete_first


# ------------------------------------------------------------------------------------------------------ previews


def test_a_preview_knows_what_follows_from_the_inputs_and_no_more(driver: Driver, house: House) -> None:
    seen = driver.preview(LAMP, ONE | {"name": "my-lamp"})
    assert seen["address"] == "hall/my-lamp"
    assert seen["bulb"] == {"watts": 5}
    assert seen["light"] is UNKNOWN
    assert seen["serial"] is UNKNOWN
    assert house.lamps == {}


def test_a_preview_with_an_unknown_input_does_not_guess_what_follows_from_it(driver: Driver) -> None:
    seen = driver.preview(LAMP, ONE | {"name": "my-lamp", "labels": UNKNOWN})
    assert seen["labels"] is UNKNOWN
    assert driver.preview(LAMP, ONE | {"serial": "S-9"})["serial"] == "S-9"


def test_a_preview_of_an_update_keeps_what_the_change_leaves_alone(driver: Driver, house: House) -> None:
    lamp = driver.create(LAMP, ONE | {"name": "my-lamp"})
    relabelled = driver.update(lamp, ONE | {"name": "my-lamp", "labels": {"a": "b"}}, preview=True).outputs
    assert (relabelled["light"], relabelled["serial"]) == ("warm", "S-1")
    brighter = driver.update(lamp, {"name": "my-lamp", "bulb": {"watts": 9}}, preview=True).outputs
    assert (brighter["light"], brighter["serial"]) == (UNKNOWN, "S-1")
    assert house.lamps["my-lamp"]["bulb"] == {"watts": 5}


# --------------------------------------------------------------------------------------------------- differences


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, {}),
        ({"bulb": {"watts": 9}}, {"bulb.watts": "UPDATE"}),
        ({"bulb": {"watts": 5, "socket": "E27"}}, {"bulb.socket": "ADD"}),
        ({"switches": ["b", "a"]}, {}),
        ({"switches": ["a"]}, {"switches": "UPDATE"}),
        ({"recipe": '{ "a":1 }'}, {}),
        ({"recipe": '{"a": 2}'}, {"recipe": "UPDATE"}),
        ({"room": "kitchen"}, {"room": "UPDATE_REPLACE"}),
        ({"name": "other"}, {"name": "UPDATE_REPLACE"}),
        ({"labels": {"a.b": "c"}}, {'labels["a.b"]': "ADD"}),
        ({"serial": UNKNOWN}, {"serial": "ADD"}),
    ],
)
def test_differences(driver: Driver, change: Properties, kinds: dict[str, str]) -> None:
    inputs = ONE | {"name": "my-lamp", "switches": ["a", "b"], "recipe": '{"a": 1}', "labels": {}}
    assert driver.diff(driver.create(LAMP, inputs), inputs | change).kinds == kinds


# ------------------------------------------------------------------------------------------------ the cloud's say


def test_a_refresh_shows_what_was_changed_by_hand_and_only_that(driver: Driver, house: House) -> None:
    inputs = ONE | {"name": "my-lamp", "labels": {"a": "b"}}
    lamp = driver.create(LAMP, inputs)
    house.lamps["my-lamp"] |= {"labels": {"a": "c"}, "bulb": {"watts": 5, "socket": "the cloud's own default"}}
    seen = driver.refresh(lamp)
    assert seen is not None
    assert seen.inputs == lamp.inputs | {"labels": {"a": "c"}}
    assert driver.diff(seen, inputs).kinds == {"labels.a": "UPDATE"}


def test_what_is_gone_is_gone(driver: Driver, house: House) -> None:
    lamp = driver.create(LAMP, ONE)
    house.lamps.clear()
    assert driver.refresh(lamp) is None
    driver.delete(lamp)
    assert driver.import_(LAMP, "no such lamp") is None


def test_an_import_takes_over_what_the_cloud_says(driver: Driver, house: House) -> None:
    house.lamps["found"] = {"name": "found", "room": "kitchen", "bulb": {"watts": 3}, "labels": {}}
    lamp = driver.import_(LAMP, "found")
    assert lamp is not None
    assert lamp.inputs == {"name": "found", "room": "kitchen", "bulb": {"watts": 3}}
    assert driver.diff(lamp, {"name": "found", "room": "kitchen", "bulb": {"watts": 3}}).kinds.keys() <= {"smart"}


# ------------------------------------------------------------------------------------------------------- secrets


def test_a_secret_comes_back_as_a_secret_and_goes_to_the_cloud_in_the_clear(driver: Driver, house: House) -> None:
    lamp = driver.create(LAMP, {"name": "my-lamp", "bulb": {"watts": Secret(5)}, "recipe": Secret("hush")})
    assert lamp.outputs["recipe"] == Secret("hush")
    assert lamp.outputs["bulb"] == Secret({"watts": 5})
    assert lamp.outputs["light"] == "warm"
    assert lamp.outputs["address"] == Secret("hall/my-lamp")
    assert plain(house.lamps["my-lamp"]) == house.lamps["my-lamp"]
    seen = driver.refresh(lamp)
    assert seen is not None
    assert seen.outputs["recipe"] == seen.inputs["recipe"] == Secret("hush")
    assert seen.outputs["address"] == Secret("hall/my-lamp")
    brighter = driver.update(lamp, {"name": "my-lamp", "bulb": {"watts": Secret(9)}, "recipe": Secret("hush")})
    assert brighter.outputs["bulb"] == Secret({"watts": 9})


# -------------------------------------------------------------------------------------------------------- errors


def error_of(call: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def test_an_error_of_the_cloud_names_the_resource(driver: Driver, house: House) -> None:
    def refuse(_call: Call[House]) -> None:
        raise ProviderError("the fuse is blown")

    house.behave = refuse
    error = error_of(lambda: driver.create(LAMP, ONE, name="desk"))
    assert error.details() == f"creating {LAMP} desk: the fuse is blown"


def test_a_half_made_lamp_is_recorded(driver: Driver, house: House) -> None:
    def half(call: Call[House]) -> None:
        raise PartlyCreated("it flickers", call.inputs["name"], {"light": "none", "serial": "S-2"})

    house.behave = half
    error = error_of(lambda: driver.create(LAMP, ONE | {"name": "my-lamp", "recipe": Secret("hush")}))
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    told = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(told)
    assert (told.id, list(told.reasons)) == ("my-lamp", ["it flickers"])
    assert told.properties.fields["light"].string_value == "none"
    assert told.properties.fields["recipe"].struct_value.fields["value"].string_value == "hush"


def test_an_output_that_its_function_forgot_is_an_error(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "_outputs", lambda _call: {"serial": "S-1"})
    assert "does not say what these are: light" in str(error_of(lambda: driver.create(LAMP, ONE)).details())


def test_unknown_types_and_functions_are_errors(driver: Driver) -> None:
    error = error_of(lambda: driver.check("house:index/fridge:Fridge", {}))
    assert error.details() == "the stand-in for house has no resource type house:index/fridge:Fridge"
    error = error_of(lambda: driver.invoke("house:index/getFridge:getFridge"))
    assert error.details() == "the stand-in for house has no function house:index/getFridge:getFridge"


def test_a_function_refuses_arguments_that_it_does_not_act_on(driver: Driver) -> None:
    driver.create(LAMP, ONE)
    assert driver.invoke(COUNT.token, {"room": "hall"}) == {"count": 1}
    with pytest.raises(Refused, match="colour is known to the provider, but its stand-in does not act on it yet"):
        driver.invoke(COUNT.token, {"colour": "red"})


def test_a_configuration_that_cannot_work_fails_at_once() -> None:
    provider = Provider("house", "1.2.3", Schemas("house", {LAMP: SCHEMA}), (TYPE,), (), connect=House)
    assert error_of(lambda: Driver(provider, {"burnt": True})).details() == "there is no house any more"


def test_nested_configuration_arrives_as_json_text() -> None:
    houses: list[House] = []
    provider = Provider(
        "house",
        "1.2.3",
        Schemas("house", {LAMP: SCHEMA}),
        (TYPE,),
        (),
        connect=lambda config: (houses.append(House(config)), houses[0])[1],
    )
    with Driver(provider, {"labels": '{"owner": "us"}', "motto": "{no json", "key": Secret("k")}):
        assert houses[0].config == {"labels": {"owner": "us"}, "motto": "{no json", "key": "k"}


# --------------------------------------------------------------------------------------------- time and many calls


def test_a_wait_ends_when_its_time_is_up(driver: Driver, house: House) -> None:
    house.behave = lambda call: call.wait_for("the bulb", lambda: (False, "cold"))
    error = error_of(lambda: driver.create(LAMP, ONE, timeout=0.2))
    assert "timeout while waiting for the bulb (last state: 'cold', after 0.2 s)" in str(error.details())


def test_cancelling_ends_every_wait(driver: Driver, house: House) -> None:
    waiting = threading.Event()

    def is_done() -> tuple[bool, str]:
        waiting.set()
        return False, "cold"

    house.behave = lambda call: call.wait_for("the bulb", is_done)
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(error_of, lambda: driver.create(LAMP, ONE, timeout=60))
        assert waiting.wait(30)
        driver.cancel()
        assert "cancelled while waiting for the bulb" in str(making.result(30).details())


def test_sixty_four_lamps_are_made_at_the_same_time(driver: Driver, house: House) -> None:
    together = threading.Barrier(64, timeout=30)
    house.behave = lambda _call: together.wait()
    with ThreadPoolExecutor(64) as pool:
        made = list(pool.map(lambda number: driver.create(LAMP, ONE | {"name": f"lamp-{number}"}), range(64)))
    assert {lamp.id for lamp in made} == {f"lamp-{number}" for number in range(64)}
    assert len(house.lamps) == 64
