"""The folders of tests/golden: see the README there. `mqttbridge test` runs them by the same code."""

import json
import sys
from pathlib import Path

import pytest

from mqttbridge.config.loading import load_config
from mqttbridge.events import Reason
from mqttbridge.mapping import Rulebook
from mqttbridge.tools import golden

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = golden.cases_in(GOLDEN)

# Reasons that others than the mapping core have.
ELSEWHERE = {Reason.REFUSED, Reason.BUCKET_REMOVED}


@pytest.fixture(autouse=True)
def _users_module(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield
    sys.modules.pop("user_models", None)


def load(path):
    return Rulebook(load_config(path, {}).config)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_messages_become_what_is_expected(case):
    assert golden.differences(case, load) == []


def test_every_reason_of_the_core_has_an_example():
    shown = {
        outcome["rejected"]
        for case in CASES
        for line in (case / "expected.jsonl").read_text(encoding="utf-8").splitlines()
        for outcome in json.loads(line)
        if "rejected" in outcome
    }

    assert shown == set(Reason) - ELSEWHERE
