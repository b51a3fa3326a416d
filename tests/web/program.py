"""A program that calls ``/api/v1``: every request and answer is held against the API's own description."""

from __future__ import annotations

from functools import cache
from json import dumps, loads
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.test import TestResponse

from bridge.web.api_document import document

HOST = "http://localhost"


@cache
def described() -> OpenAPI:
    reads = Config(extra_media_type_deserializers={"application/problem+json": loads})
    return OpenAPI.from_dict(document(HOST), config=reads)


class Program:
    """Calls with a token. ``wrong=True``: the request does not keep to the description, on purpose."""

    def __init__(self, app: Flask, token: str | None):
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(
        self, method: str, path: str, json: Any = None, *, wrong: bool = False, **query: str
    ) -> TestResponse:
        answer = self.client.open(path, method=method, query_string=query, json=json, headers=self.headers)
        sent = answer.request
        request = MockRequest(
            HOST,
            method.lower(),
            urlsplit(sent.path).path,
            args=query,
            headers=dict(sent.headers),
            data=None if json is None else dumps(json).encode(),
            content_type=sent.content_type or "",
        )
        if not wrong:
            described().validate_request(request)
        mock = MockResponse(
            answer.get_data(),
            status_code=answer.status_code,
            headers=dict(answer.headers),
            content_type=answer.mimetype or "",
        )
        described().validate_response(request, mock)
        return answer
