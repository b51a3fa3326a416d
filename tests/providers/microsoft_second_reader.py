"""Run by an interpreter that has Microsoft's own client: reads a mailbox with it, and builds our requests.

Standard input: ``{"root", "token", "prefer", "calendar", "series", "window", "sent": [[method, path, query,
body]]}``. Standard output: what the client read, each answer as its models write it again, and per request of
ours the address and body that Microsoft's client would send. What a model does not know ends it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from datetime import datetime
from urllib.parse import unquote

from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from kiota_serialization_json.json_serialization_writer import JsonSerializationWriter
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.calendar import Calendar
from msgraph.generated.models.event import Event
from msgraph.generated.models.subscription import Subscription

asked = json.load(sys.stdin)


class Signed(AuthenticationProvider):
    """With the bearer token of an account."""

    async def authenticate_request(self, request, additional_authentication_context=None):
        request.headers.add("Authorization", f"Bearer {asked['token']}")


adapter = GraphRequestAdapter(Signed())
adapter.base_url = asked["root"]
client = GraphServiceClient(request_adapter=adapter)
calendar = client.me.calendars.by_calendar_id(asked["calendar"])
BEGIN, END = asked["window"]


# --- models ------------------------------------------------------------------------------------------


def written(model):
    """A model as JSON, after a look that it knew everything."""
    strangers(model, type(model).__name__)
    writer = JsonSerializationWriter()
    model.serialize(writer)
    return json.loads(writer.get_serialized_content() or b"{}")


def strangers(value, path):
    """Ends the run for whatever a model has no field for."""
    if isinstance(value, list):
        for one in value:
            strangers(one, path)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        unknown = [name for name in getattr(value, "additional_data", {}) if not name.startswith("@")]
        if unknown:
            raise SystemExit(f"Microsoft's client does not know {path}: {', '.join(unknown)}")
        for name, inner in vars(value).items():
            if not name.startswith("_") and name not in ("additional_data", "backing_store"):
                strangers(inner, f"{path}.{name}")


def parsed(model, body):
    """A body of ours through a model; empty fields must be known by name."""
    known = model().get_field_deserializers()
    if unknown := body.keys() - known.keys():
        raise SystemExit(f"Microsoft's client does not know {model.__name__}: {', '.join(unknown)}")
    root = JsonParseNodeFactory().get_root_parse_node("application/json", json.dumps(body).encode())
    return root.get_object_value(model)


# --- requests ----------------------------------------------------------------------------------------


BY_ID = {
    "calendars": "by_calendar_id",
    "events": "by_event_id",
    "subscriptions": "by_subscription_id",
}
NAMES = {"calendarView": "calendar_view"}


def walked(path):
    """The client's builder for an address below the API."""
    at = client
    steps = [unquote(step) for step in path.strip("/").split("/")]
    for before, step in zip([None, *steps[:-1]], steps, strict=True):
        if before in BY_ID and step != "delta":
            at = getattr(at, BY_ID[before])(step)
        else:
            at = getattr(at, NAMES.get(step, step))
    return at


def configured(builder, query, headers=None):
    """Query options by the names that the client has for them."""
    kind = next(
        (inner for name, inner in vars(type(builder)).items() if name.endswith("GetQueryParameters")), None
    )
    chosen = kind() if kind else None
    if query and kind is None:
        raise SystemExit(f"Microsoft's client knows no options of {type(builder).__name__}")
    for option, value in query.items():
        (field,) = (
            one for one in dataclasses.fields(kind) if unquote(chosen.get_query_parameter(one.name)) == option
        )
        kinds = {"Optional[list[str]]": lambda v: v.split(","), "Optional[int]": int}
        setattr(chosen, field.name, kinds.get(str(field.type), str)(value))
    configuration = RequestConfiguration(query_parameters=chosen) if chosen else RequestConfiguration()
    for name, said in (headers or {}).items():
        configuration.headers.add(name, said)
    return configuration


def built(method, path, query, body):
    """The same call by Microsoft's client, which refuses what it does not know."""
    builder = walked(path)
    make = getattr(builder, f"to_{method.lower()}_request_information")
    if body is None:
        request = make(configured(builder, query))
    else:
        model = {"events": Event, "calendars": Calendar, "subscriptions": Subscription}
        name = next(name for name in ("events", "subscriptions", "calendars") if name in path)
        sent = parsed(model[name], body)
        strangers(sent, name)
        request = make(sent, configured(builder, {}))
    again = json.loads(request.content) if request.content else None
    return [request.http_method.value, request.url, again]


# --- reading -----------------------------------------------------------------------------------------

PREFER = {"Prefer": asked["prefer"]}


async def paged(builder, query):
    """Every page, as the client pages; and the last one's delta link."""
    found, page = [], await builder.get(configured(builder, query, PREFER))
    while True:
        found += [written(one) for one in page.value]
        if not page.odata_next_link:
            return found, getattr(page, "odata_delta_link", None)
        page = await builder.with_url(page.odata_next_link).get(configured(builder, {}, PREFER))


async def main():
    window = {"startDateTime": BEGIN, "endDateTime": END}
    series = calendar.events.by_event_id(asked["series"])
    calendars, _ = await paged(client.me.calendars, {})
    events, _ = await paged(calendar.events, {"$top": "2", "$expand": asked["expand"]})
    delta, link = await paged(calendar.calendar_view.delta, window)
    dates, _ = await paged(series.instances, window)
    chosen = {"$select": "id,subject,cancelledOccurrences", "$expand": "exceptionOccurrences"}
    master = await series.get(configured(series, chosen, PREFER))
    nothing, _ = await paged(calendar.calendar_view.delta.with_url(link), {})
    json.dump(
        {
            "calendars": calendars,
            "events": events,
            "delta": delta,
            "nothing": nothing,
            "dates": dates,
            "master": written(master),
            "sent": [built(*one) for one in asked["sent"]],
        },
        sys.stdout,
        default=lambda moment: moment.isoformat() if isinstance(moment, datetime) else str(moment),
    )


asyncio.run(main())
