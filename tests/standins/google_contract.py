"""Google's own discovery document, held against every request to the stand-in and every answer of it.

It is read from Google's Python client, which ships it (see ``tests/servers/google_client.py``). Unknown
parameters, unknown fields, wrong types and missing required fields are violations, in both directions. What
the document leaves to prose (ETags, sync tokens, reasons of refusals) is the stand-in's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator


@dataclass(frozen=True)
class Operation:
    """One method of the document."""

    id: str
    http: str
    pattern: re.Pattern[str]
    parameters: Mapping[str, Any]
    request: str | None
    response: str | None
    scopes: frozenset[str]  # any of them will do


class Contract:
    """The document, as questions about one exchange."""

    def __init__(self, path: Path):
        document = json.loads(path.read_text())
        self.root = f"/{document['servicePath']}"
        self._common = document["parameters"]
        self._operations = list(_operations(document["resources"]))
        self._required = {
            name: [
                (field, method)
                for field, spec in schema.get("properties", {}).items()
                for method in _asks(spec)
            ]
            for name, schema in document["schemas"].items()
        }
        self._validators = {
            clears: {
                name: Draft202012Validator({**_modern(schema, clears), "$defs": definitions})
                for name, schema in document["schemas"].items()
            }
            for clears in (False, True)
            for definitions in [{n: _modern(s, clears) for n, s in document["schemas"].items()}]
        }

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a path below the root, with its path's parameters."""
        for operation in self._operations:
            if operation.http == method and (found := operation.pattern.fullmatch(path)):
                return operation, {name: unquote(value) for name, value in found.groupdict().items()}
        return None

    def request(self, operation: Operation, query: Mapping[str, str], body: Any | None) -> list[str]:
        """What is wrong with a request."""
        wrong = [
            f"{operation.id}: {problem}"
            for name, value in query.items()
            for problem in _parameter(name, value, {**self._common, **operation.parameters}.get(name))
        ]
        if (body is None) != (operation.request is None):
            return [
                *wrong,
                f"{operation.id}: a body where there should be none, or none where there should be",
            ]
        if operation.request is not None:
            clears = operation.http == "PATCH"  # null clears a field
            wrong += self._check(operation.request, body, clears, f"{operation.id} is sent")
            missing = [
                f
                for f, method in self._required[operation.request]
                if method == operation.id and f not in body
            ]
            wrong += [f"{operation.id}: {field} is missing" for field in missing]
        return wrong

    def answer(self, operation: Operation, body: Any | None) -> list[str]:
        """What is wrong with an answer from 200 to 299."""
        if (body is None) != (operation.response is None):
            return [f"{operation.id}: an answer where there should be none, or none where there should be"]
        return (
            []
            if body is None
            else self._check(operation.response or "", body, False, f"{operation.id} answers")
        )

    def _check(self, schema: str, body: Any, clears: bool, what: str) -> list[str]:
        errors = self._validators[clears][schema].iter_errors(body)
        return [f"{what} {error.json_path}: {error.message}"[:300] for error in errors]


@lru_cache(maxsize=1)
def contract(path: Path) -> Contract:
    return Contract(path)


def _operations(resources: Mapping[str, Any]):
    for resource in resources.values():
        for method in resource.get("methods", {}).values():
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(method["path"]))
            query = {k: v for k, v in method.get("parameters", {}).items() if v["location"] == "query"}
            yield Operation(
                method["id"],
                method["httpMethod"],
                re.compile(pattern),
                query,
                method.get("request", {}).get("$ref"),
                method.get("response", {}).get("$ref"),
                frozenset(method.get("scopes", ())),
            )
        yield from _operations(resource.get("resources", {}))


def _asks(spec: Mapping[str, Any]) -> list[str]:
    return spec.get("annotations", {}).get("required", [])


def _modern(schema: Mapping[str, Any], clears: bool) -> dict[str, Any]:
    """A schema of the document (JSON Schema draft 3 in style) as today's validators read it."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    found: dict[str, Any] = {}
    if schema.get("type") not in (None, "any"):
        found["type"] = schema["type"]
    if "enum" in schema:
        found["enum"] = schema["enum"]
    if "items" in schema:
        found["items"] = _modern(schema["items"], clears)
    if "properties" in schema:
        fields = {name: _modern(spec, clears) for name, spec in schema["properties"].items()}
        if clears:
            fields = {name: {"anyOf": [spec, {"type": "null"}]} for name, spec in fields.items()}
        found |= {"properties": fields, "additionalProperties": False}
    elif isinstance(schema.get("additionalProperties"), Mapping):
        more = _modern(schema["additionalProperties"], clears)
        found["additionalProperties"] = {"anyOf": [more, {"type": "null"}]} if clears else more
    return found


def _parameter(name: str, value: str, spec: Mapping[str, Any] | None):
    if spec is None:
        yield f"unknown parameter {name}"
    elif spec["type"] == "boolean" and value not in ("true", "false"):
        yield f"{name} is no truth value: {value}"
    elif spec["type"] == "integer" and not (
        value.isdigit() and int(spec.get("minimum", 0)) <= int(value) <= int(spec.get("maximum", 10**9))
    ):
        yield f"{name} is out of range: {value}"
    elif "enum" in spec and value not in spec["enum"]:
        yield f"{name} is none of its values: {value}"
    elif spec.get("format") == "date-time" and not re.match(r"\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$", value):
        yield f"{name} is no time with an offset: {value}"
