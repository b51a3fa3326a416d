"""Graph's own contract, held against every request to the stand-in and every answer of it.

``openapi-core`` checks types, enumerations, required parts and parameters. The schema allows unknown
properties, so names are checked here, collected over ``allOf``: a misspelt field is found. Exempt are the
ready-made links with ``$deltatoken`` or ``$skiptoken``, which carry no window, and ``@odata`` annotations.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

CONTRACT = Path(__file__).parent / "contracts" / "microsoft-graph-calendar.openapi.yaml"
_HOST = "https://graph.microsoft.com"


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(CONTRACT.read_text(), Loader=loader)


@lru_cache(maxsize=1)
def _openapi() -> OpenAPI:
    return OpenAPI.from_dict(_document())


def violations(method: str, url: str, body: bytes, status: int, answer: bytes) -> list[str]:
    """What the contract does not allow in one exchange; ``url``: path and query as sent, ``/v1.0/...``."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    request = MockRequest(_HOST, method.lower(), parts.path, args=query, data=body or None)
    response = MockResponse(answer, status_code=status)
    found = []
    try:
        if not query.keys() & {"$deltatoken", "$skiptoken"}:
            _openapi().validate_request(request)
        if answer:
            _openapi().validate_response(request, response)
    except OpenAPIError as error:
        found.append(f"{method} {url}: {error}: {error.__cause__ or ''}"[:500])
    operation = _operation(method.lower(), parts.path)
    if operation is None:
        return [*found, f"{method} {url}: no such operation"]
    known = {one["name"] for one in _parameters(operation)} | {"$deltatoken", "$skiptoken"}
    found += [f"{method} {url}: unknown parameter {name}" for name in query.keys() - known]
    if body:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        found += [f"{method} {url} sends {name}" for name in _strangers(json.loads(body), schema, "")]
    if answer:
        found += [
            f"{method} {url} answers {name}"
            for name in _strangers(json.loads(answer), _answer(operation, status), "")
        ]
    return found


def _operation(method: str, path: str) -> dict[str, Any] | None:
    asked = path.removeprefix("/v1.0").strip("/").split("/")
    for pattern, item in _document()["paths"].items():
        named = pattern.strip("/").split("/")
        pairs = list(zip(named, asked, strict=False))
        fits = len(named) == len(asked) and all(name.startswith("{") or name == part for name, part in pairs)
        if fits and method in item:
            parameters = item.get("parameters", []) + item[method].get("parameters", [])
            return {**item[method], "parameters": parameters}
    return None


def _parameters(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in operation["parameters"]:
        yield _resolved(one)


def _answer(operation: dict[str, Any], status: int) -> dict[str, Any]:
    answers = operation["responses"]
    chosen = _resolved(answers["2XX"] if 200 <= status < 300 else answers["default"])
    return chosen.get("content", {}).get("application/json", {}).get("schema", {})


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = _document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def _names(schema: dict[str, Any]) -> dict[str, Any]:
    """Property names with their schemas, over ``allOf``."""
    schema = _resolved(schema)
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= _names(part)
    return found


def _strangers(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    schema = _resolved(schema)
    if isinstance(value, list):
        for one in value:
            yield from _strangers(one, schema.get("items", {}), path)
    elif isinstance(value, dict):
        known = _names(schema)
        for name, inner in value.items():
            if name in known:
                yield from _strangers(inner, known[name], f"{path}.{name}")
            elif not name.startswith("@") and "@odata." not in name:
                yield f"an unknown field {path}.{name}"
