"""The interface's description is valid, complete, and true of the running platform."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import checks
from schemathesis.generation import GenerationMode

from anze.exchange.feed import Kind
from anze.exchange.feeds import FEEDS
from anze.exchange.openapi import FETCHING, SENDING, SIGNED, component_name, describe
from anze.exchange.problems import PROBLEMS
from tests.exchange.live import Platform

SERVER = "http://127.0.0.1"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_description_is_valid_openapi(language: str) -> None:
    from django.utils.translation import override

    with override(language):
        description = describe(SERVER)
    OpenAPIV31SpecValidator(description).validate()


def test_every_dataset_has_its_address_and_every_field_its_schema() -> None:
    description = describe(SERVER)
    for feed in FEEDS.values():
        assert f"/api/v1/feeds/{feed.name}/batches" in description["paths"]
        row = description["components"]["schemas"][component_name(feed)]
        assert list(row["properties"]) == [each.name for each in feed.fields]
        assert set(row["required"]) == {each.name for each in feed.fields if each.required}
        assert row["additionalProperties"] is False
        for each in feed.fields:
            if each.codes is not None and each.kind is Kind.CODE:
                listed = row["properties"][each.name]["enum"]
                assert set(listed) - {""} == set(each.codes.values)


def test_example_rows_fit_their_own_schema() -> None:
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    description = describe(SERVER)
    registry = Registry().with_resource("urn:d", Resource(contents=description, specification=DRAFT202012))
    for feed in FEEDS.values():
        schema = {"$ref": f"urn:d#/components/schemas/{component_name(feed)}"}
        validator = Draft202012Validator(schema, registry=registry)
        for row in feed.example_rows():
            validator.validate(row)


def test_every_way_to_be_refused_is_described() -> None:
    # the sandbox is for the conformance kit alone; clients/python tells of its answers
    of_the_sandbox = {"not_sandbox", "sandbox_full", "unknown_case", "cases_not_passed"}
    assert {*SIGNED, *SENDING, *FETCHING} | of_the_sandbox == set(PROBLEMS)


class _Signed(requests.auth.AuthBase):
    """Signs what schemathesis made up, as a partner's system would."""

    def __init__(self, live: Platform, by: str) -> None:
        self.signer = live.signer(by)

    def __call__(self, request: Any) -> Any:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        for name in ("Content-Digest", "Content-Encoding", "Signature", "Signature-Input"):
            request.headers.pop(name, None)
        covered = {
            name: request.headers[name] for name in ("Content-Type", "Idempotency-Key") if name in request.headers
        }
        for name, value in self.signer.headers(request.method, request.url, covered, body).items():
            request.headers[name] = value
        return request


def _for_machines() -> Any:
    """The description with JSON bodies only: what stands on the lines of NDJSON is said there in words."""
    description = describe(SERVER)
    for path in description["paths"].values():
        for operation in path.values():
            if "requestBody" in operation:
                operation["requestBody"]["content"].pop("application/x-ndjson")
    schema = schemathesis.openapi.from_dict(description)
    schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    return schema


@pytest.mark.slow
@_for_machines().parametrize()
@settings(
    max_examples=4, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
def test_the_platform_answers_as_described(case: Any, live: Platform) -> None:
    feed = case.path.split("/")[4] if "/feeds/" in case.path else ""
    by = "province" if feed and not FEEDS[feed].of_insurer else "huaihai"
    if case.method == "POST":
        case.headers["Idempotency-Key"] = uuid4().hex
    response = case.call(base_url=live.base, auth=_Signed(live, by))
    case.validate_response(
        response,
        checks=[
            checks.not_a_server_error,
            schemathesis.specs.openapi.checks.status_code_conformance,
            schemathesis.specs.openapi.checks.content_type_conformance,
            schemathesis.specs.openapi.checks.response_schema_conformance,
        ],
    )
