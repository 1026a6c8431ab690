"""The provider protocol's server side: one servicer for every provider, driven by its table of resource types."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from sandbox.providers.protocol.checking import DEFAULTS, NOT_ACTED_ON, checked
from sandbox.providers.protocol.compare import Change, Kind, Rules, as_asked, changes
from sandbox.providers.protocol.lost_answer import DROPPED, answer_is_lost
from sandbox.providers.protocol.resource_type import (
    Call,
    Cloud,
    Function,
    Gone,
    PartlyCreated,
    ProviderError,
    ResourceType,
)
from sandbox.providers.protocol.schema import Schema, Schemas
from sandbox.providers.protocol.wire import (
    UNKNOWN,
    Properties,
    Secret,
    Value,
    has_secret,
    has_unknown,
    plain,
    read_struct,
    write_struct,
)

_KINDS = {
    (Kind.ADD, False): provider_pb2.PropertyDiff.Kind.ADD,
    (Kind.ADD, True): provider_pb2.PropertyDiff.Kind.ADD_REPLACE,
    (Kind.UPDATE, False): provider_pb2.PropertyDiff.Kind.UPDATE,
    (Kind.UPDATE, True): provider_pb2.PropertyDiff.Kind.UPDATE_REPLACE,
    (Kind.DELETE, False): provider_pb2.PropertyDiff.Kind.DELETE,
    (Kind.DELETE, True): provider_pb2.PropertyDiff.Kind.DELETE_REPLACE,
}


class Provider(provider_pb2_grpc.ResourceProviderServicer, Generic[Cloud]):
    """Answers the engine for one provider.

    connect: makes the cloud out of the provider's configuration; raises ProviderError.
    common_defaults: inputs that every resource type which has them gets when they are left out (AWS: `region`).
    """

    def __init__(
        self,
        name: str,
        version: str,
        schemas: Schemas,
        types: Iterable[ResourceType[Cloud]],
        functions: Iterable[Function[Cloud]],
        connect: Callable[[Properties], Cloud],
        common_defaults: Callable[[Cloud], Mapping[str, Value]] = lambda _cloud: {},
    ) -> None:
        self.name = name
        self.version = version
        self._schemas = schemas
        self._types = {one.token: one for one in types}
        self._functions = {one.token: one for one in functions}
        self._connect = connect
        self._common_defaults = common_defaults
        self._cloud: Cloud | None = None
        self._cancelled = threading.Event()

    # ------------------------------------------------------------------------------------------ the plugin itself

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """What we understand: secrets and references come as such, outputs as plain values or unknown."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=True, accept_outputs=False, supports_autonaming_configuration=True
        )

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """The version of the SDK that we stand in for."""
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """A stub: Python programs never ask for it."""
        schema = {"name": self.name, "version": self.version, "resources": {token: {} for token in self._types}}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def GetMapping(
        self, request: provider_pb2.GetMappingRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingResponse:
        """No conversions from other tools."""
        return provider_pb2.GetMappingResponse()

    def GetMappings(
        self, request: provider_pb2.GetMappingsRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingsResponse:
        """No conversions from other tools."""
        return provider_pb2.GetMappingsResponse()

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Ends every wait; calls that are under way finish."""
        self._cancelled.set()
        return empty_pb2.Empty()

    # -------------------------------------------------------------------------------------------- configuration

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Taken as it is; `Configure` says what is wrong with it."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """A new configuration never replaces what is there, except that of another region."""
        found = changes(read_struct(request.olds), read_struct(request.news), Rules())
        return _diff_response(found, replacing=frozenset({"region"}), delete_first=False)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Connects. Nested values of a provider's configuration arrive as JSON text."""
        with _reported(context):
            self._cloud = self._connect({key: _from_json(plain(v)) for key, v in read_struct(request.args).items()})
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=True,
            acceptOutputs=False,
            supports_autonaming_configuration=True,
        )

    # ------------------------------------------------------------------------------------------------ functions

    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Answers a question such as `getZone`."""
        function = self._functions.get(request.tok)
        if function is None:
            _abort(context, f"the stand-in for {self.name} has no function {request.tok}")
        arguments = {key: value for key, value in plain(read_struct(request.args)).items() if value is not None}
        if unknown := sorted(set(arguments) - function.arguments):
            failures = [provider_pb2.CheckFailure(property=key, reason=NOT_ACTED_ON) for key in unknown]
            return provider_pb2.InvokeResponse(failures=failures)
        with _reported(context):
            result = function.run(self._connected(), arguments)
        return provider_pb2.InvokeResponse(**{"return": write_struct(result)})

    # ------------------------------------------------------------------------------------------------ resources

    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Fills in defaults and the name, and refuses what the real provider or this stand-in cannot do."""
        kind, schema = self._type(request, context)
        news, wrong = checked(request, kind, schema, self._common_defaults(self._connected()))
        failures = [provider_pb2.CheckFailure(property=one.path, reason=f"{one.path} {one.reason}") for one in wrong]
        return provider_pb2.CheckResponse(inputs=write_struct(news), failures=failures)

    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """What an update would change, and whether it would replace the resource."""
        kind, schema = self._type(request, context)
        news = read_struct(request.news)
        olds = read_struct(request.old_inputs if request.HasField("old_inputs") else request.olds)
        found = [one for one in _changes(kind, schema, olds, news) if one.top not in request.ignoreChanges]
        # As the real provider: a name of the program's own may be the old one's too, so that one goes first. (For an
        # automatic name the engine asks again, and gets a new one.)
        named = kind.name is not None and kind.name.property not in news.get(DEFAULTS, ())
        return _diff_response(found, None if kind.update is None else kind.replace_on, delete_first=named)

    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Makes it, or says what is known about it before."""
        kind, schema = self._type(request, context)
        inputs = read_struct(request.properties)
        if request.preview:
            unknown = dict.fromkeys(schema.outputs | kind.computed, UNKNOWN)
            return provider_pb2.CreateResponse(properties=write_struct(unknown | inputs | self._derived(kind, inputs)))
        asked = plain(inputs)
        call = self._call(kind, request.timeout, inputs=asked)
        try:
            with _reported(context, f"creating {_label(request)}"):
                created = kind.create(call)
        except PartlyCreated as e:
            self._abort_partly_created(context, e, _as_secret(inputs, asked | e.outputs), inputs)
        if answer_is_lost("create", request.name):
            _abort(context, DROPPED)
        state = self._state(kind, schema, asked, created.outputs)
        return provider_pb2.CreateResponse(id=created.id, properties=self._told(kind, inputs, state))

    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Refresh and import: the resource as the cloud has it, an empty answer when it is gone."""
        kind, schema = self._type(request, context)
        inputs, state = read_struct(request.inputs), plain(read_struct(request.properties))
        asked = plain(inputs)
        call = self._call(kind, request.timeout, id=request.id, inputs=asked, state=state)
        try:
            with _reported(context, f"reading {_label(request)}"):
                found = kind.read(call)
        except Gone:
            found = None
        if found is None:
            return provider_pb2.ReadResponse()
        seen = _as_secret(inputs, self._seen_inputs(kind, schema, asked, found.inputs))
        kept = {key: value for key, value in state.items() if key not in found.inputs}
        state = self._state(kind, schema, kept | found.inputs | plain(seen), found.outputs)
        return provider_pb2.ReadResponse(
            id=found.id or request.id, properties=self._told(kind, seen, state), inputs=write_struct(seen)
        )

    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Changes it in place, or says what is known about it before."""
        kind, schema = self._type(request, context)
        olds, news = read_struct(request.olds), read_struct(request.news)
        changed = frozenset(one.top for one in _changes(kind, schema, read_struct(request.old_inputs), news))
        kept = {key: olds[key] for key in schema.outputs | kind.computed if key in olds}
        if request.preview:
            unknown = {output: UNKNOWN for output, causes in kind.unknown_after.items() if causes & changed}
            state = kept | unknown | news | self._derived(kind, news)
            return provider_pb2.UpdateResponse(properties=write_struct(state))
        if kind.update is None:
            _abort(context, f"{kind.token} cannot be updated in place")
        asked = plain(news)
        call = self._call(kind, request.timeout, id=request.id, inputs=asked, state=plain(olds), changed=changed)
        with _reported(context, f"updating {_label(request)}"):
            outputs = kind.update(call)
        if answer_is_lost("update", request.name):
            _abort(context, DROPPED)
        state = self._state(kind, schema, asked, plain(kept) | outputs)
        return provider_pb2.UpdateResponse(properties=self._told(kind, news, state))

    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Deletes it; one that is gone already is deleted."""
        kind, _schema = self._type(request, context)
        state = plain(read_struct(request.properties))
        inputs = plain(read_struct(request.old_inputs)) or state
        call = self._call(kind, request.timeout, id=request.id, inputs=inputs, state=state)
        try:
            with _reported(context, f"deleting {_label(request)}"):
                kind.delete(call)
        except Gone:
            pass
        return empty_pb2.Empty()

    # -------------------------------------------------------------------------------------------------- inside

    def _connected(self) -> Cloud:
        if self._cloud is None:
            raise ProviderError(f"the stand-in for {self.name} was asked before it was configured")
        return self._cloud

    def _type(self, request: Any, context: grpc.ServicerContext) -> tuple[ResourceType[Cloud], Schema]:
        token = request.type or request.urn.split("::")[2].rsplit("$", 1)[-1]
        kind = self._types.get(token)
        if kind is None:
            _abort(context, f"the stand-in for {self.name} has no resource type {token}")
        return kind, self._schemas.of(token)

    def _call(self, kind: ResourceType[Cloud], seconds: float, **properties: Any) -> Call[Cloud]:
        return Call(self._connected(), seconds=seconds or kind.seconds, cancelled=self._cancelled, **properties)

    def _derived(self, kind: ResourceType[Cloud], inputs: Properties) -> Properties:
        """Outputs that follow from the inputs. With a secret among these they are secret: which is in which of them is
        not known."""
        if kind.derived is None:
            return {}
        derived = kind.derived(self._connected(), plain(inputs))
        known = {key: UNKNOWN if has_unknown(value) else value for key, value in derived.items()}
        return {key: Secret(value) for key, value in known.items()} if has_secret(inputs) else known

    def _state(self, kind: ResourceType[Cloud], schema: Schema, inputs: Properties, outputs: Properties) -> Properties:
        """All properties of a resource. An output that its function forgot would be unknown for ever: say so."""
        state = inputs | outputs | self._derived(kind, inputs)
        if missing := sorted((schema.outputs | kind.computed) - set(state)):
            raise AssertionError(f"the stand-in for {kind.token} does not say what these are: {', '.join(missing)}")
        return state

    def _told(self, kind: ResourceType[Cloud], inputs: Properties, state: Properties) -> struct_pb2.Struct:
        """A plain `state` as the engine gets it: what came in as a secret goes out as one."""
        return write_struct(_as_secret(inputs, state) | self._derived(kind, inputs))

    def _seen_inputs(
        self, kind: ResourceType[Cloud], schema: Schema, asked: Properties, seen: Properties
    ) -> Properties:
        if not asked:  # an import
            common = {k: v for k, v in self._common_defaults(self._connected()).items() if k in schema.input_names}
            return common | {key: value for key, value in seen.items() if value not in (None, "", [], {})}
        inputs = {
            key: as_asked(value, seen[key], _rules(kind, schema), key) if key in seen else value
            for key, value in asked.items()
        }
        return {key: value for key, value in inputs.items() if value is not None}

    def _abort_partly_created(
        self, context: grpc.ServicerContext, error: PartlyCreated, state: Properties, inputs: Properties
    ) -> NoReturn:
        detail = any_pb2.Any()
        detail.Pack(
            provider_pb2.ErrorResourceInitFailed(
                id=error.identity, properties=write_struct(state), inputs=write_struct(inputs), reasons=[str(error)]
            )
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _changes(kind: ResourceType[Any], schema: Schema, old: Properties, new: Properties) -> list[Change]:
    """What differs, but not that the program leaves out what the cloud has filled in: an import sees that too."""
    found = changes(old, new, _rules(kind, schema))
    return [one for one in found if not (one.kind is Kind.DELETE and one.top in kind.computed)]


def _rules(kind: ResourceType[Any], schema: Schema) -> Rules:
    return Rules(kind.unordered, kind.documents, schema.maps)


def _diff_response(
    found: list[Change], replacing: frozenset[str] | None, *, delete_first: bool
) -> provider_pb2.DiffResponse:
    """replacing: inputs that replace the resource, None when all of them do."""
    some = provider_pb2.DiffResponse.DiffChanges.DIFF_SOME if found else provider_pb2.DiffResponse.DiffChanges.DIFF_NONE
    response = provider_pb2.DiffResponse(changes=some, hasDetailedDiff=True)
    for one in found:
        replaces = replacing is None or one.top in replacing
        response.detailedDiff[one.path].kind = _KINDS[one.kind, replaces]
        response.detailedDiff[one.path].inputDiff = True
        if one.top not in response.diffs:
            response.diffs.append(one.top)
        if replaces and one.top not in response.replaces:
            response.replaces.append(one.top)
    response.deleteBeforeReplace = bool(response.replaces) and delete_first
    return response


def _as_secret(inputs: Properties, state: Properties) -> Properties:
    """A property that came in with a secret in it goes out as one."""
    return {key: Secret(value) if has_secret(inputs.get(key)) else value for key, value in state.items()}


def _from_json(value: Value) -> Value:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _label(request: Any) -> str:
    return f"{request.type or request.urn.split('::')[2].rsplit('$', 1)[-1]} {request.name or request.id}"


@contextmanager
def _reported(context: grpc.ServicerContext, doing: str = "") -> Iterator[None]:
    """Errors of the cloud become the protocol's; what the caller deals with itself passes."""
    try:
        yield
    except (Gone, PartlyCreated) as e:
        if doing.startswith(("reading", "deleting")) or isinstance(e, PartlyCreated):
            raise
        _abort(context, f"{doing}: {e}")
    except ProviderError as e:
        _abort(context, f"{doing}: {e}" if doing else str(e))


def _abort(context: grpc.ServicerContext, message: str) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError  # abort never returns
