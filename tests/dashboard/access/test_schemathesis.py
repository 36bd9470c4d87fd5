"""The server holds what `/openapi.json` says, whatever is sent: schemathesis makes it up from the document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
)

from mqttbridge.dashboard.openapi import document
from tests.support.dashboards import Served, serve

# Who is let in by what is walked through in test_every_route.py, and wrong keys in such numbers have to wait. What the
# Events API takes and leaves is its clients' custom rather than a schema: keys and values in headers, body or address.
ELSEWHERE = [ignored_auth, missing_required_header, negative_data_rejection, positive_data_acceptance]

# They never end.
STREAMS = r"/live$"

schema = schemathesis.openapi.from_dict(document()).exclude(path_regex=STREAMS)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("fuzzed"), {"write_keys": ["w"]}) as running:
        running.get("/api/events?bucketKey=b&t=1&accessKey=w")
        yield running


@schema.parametrize()
@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_documented(case, guarded):
    shown = {"X-IS-AccessKey": "w", "Authorization": "Bearer w"}
    case.call_and_validate(base_url=guarded.url, headers=shown, excluded_checks=ELSEWHERE)
