"""The OpenAPI document and the routes are the same table."""

import json

import pytest

from mqttbridge.dashboard import schemas
from mqttbridge.dashboard.app import Workers, endpoints
from mqttbridge.dashboard.limits import Limits
from mqttbridge.dashboard.openapi import OPERATIONS
from mqttbridge.dashboard.security import Access, Security

PAGES = {
    "/",
    "/b/{bucket}",
    "/b/{bucket}/source",
    "/b/{bucket}/waves",
    "/bridge",
    "/login",
    "/settings",
    "/static/{path:path}",
}


@pytest.fixture
def document(served):
    return served.get("/openapi.json").json()


def test_every_route_but_the_pages_is_documented_and_no_other(served, document):
    table = {
        (one.path, method): one.access
        for one in endpoints(served.backend, Security(served.config.http), Limits(served.config.http), Workers())
        for method in one.methods
        if one.path not in PAGES
    }

    documented = {
        (path, method.upper()): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }

    assert documented.keys() == table.keys() == OPERATIONS.keys()
    for key, access in table.items():
        assert bool(documented[key]["security"]) == (access in {Access.READ, Access.WRITE, Access.EDIT}), key


def test_every_reference_leads_somewhere(document):
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    found = set()

    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                found.add(node["$ref"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)

    assert found
    assert found <= known


def test_each_answer_the_server_gives_is_documented(served, document):
    served.push("b", {"key": "t", "value": 1})
    for path, code in [
        ("/api/v1/buckets", 200),
        ("/api/v1/buckets/no/points", 404),
        ("/api/v1/buckets/b/points?after=x", 400),
        ("/api/versions", 200),
        ("/api/events", 400),
        ("/livez", 200),
        ("/openapi.json", 200),
    ]:
        template = path.partition("?")[0].replace("/no/", "/{bucket}/").replace("/b/", "/{bucket}/")
        answer = served.get(path)
        assert answer.status_code == code
        described = document["paths"][template]["get"]["responses"][str(code)]
        assert answer.headers["content-type"].partition(";")[0] in described["content"]


def test_the_models_refuse_what_the_document_does_not_show():
    with pytest.raises(ValueError, match="Extra inputs"):
        schemas.Points.model_validate(
            {"now": 1, "live": "x", "after": 0, "before": 1, "series": {}, "more": json.dumps({})}
        )
