"""The folders of tests/golden: see the README there."""

import json
import sys
from pathlib import Path

import pytest

from mqttbridge.config.loading import load_config
from mqttbridge.events import Reason, Rejected
from mqttbridge.mapping import Rulebook

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(path.parent for path in GOLDEN.glob("*/config.yaml"))
ARRIVAL = 1_760_000_000.0

# Reasons that others than the mapping core have.
ELSEWHERE = {Reason.REFUSED, Reason.BUCKET_REMOVED}


@pytest.fixture(autouse=True)
def _users_module(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield
    sys.modules.pop("user_models", None)


def outcomes(case):
    """A line of JSON for each message of a case."""
    book = Rulebook(load_config(case / "config.yaml", {}).config)
    for line in (case / "messages.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.dumps(list(outcome(book, json.loads(line))), ensure_ascii=False)


def outcome(book, message):
    payload = text_or_hex(message, "payload") * message.get("repeat", 1)
    routes = book.routes(text_or_hex(message, "topic"))
    if isinstance(routes, Rejected):
        yield {"rule": routes.rule, "rejected": routes.reason, "detail": routes.detail}
        return
    for route in routes:
        result = route.apply(payload, ARRIVAL)
        if isinstance(result, Rejected):
            yield {"rule": route.rule, "rejected": result.reason, "detail": result.detail}
            continue
        told = {"rule": route.rule, "events": result}
        if route.to:
            told["to"] = route.to
        if route.new_units:
            told["units"] = {stream: unit for (_, stream), unit in route.new_units.items()}
            route.new_units.clear()
        yield told


def text_or_hex(message, part):
    return bytes.fromhex(message[f"{part}_hex"]) if f"{part}_hex" in message else message[part].encode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_messages_become_what_is_expected(case):
    expected = (case / "expected.jsonl").read_text(encoding="utf-8").splitlines()

    assert list(outcomes(case)) == expected


def test_every_reason_of_the_core_has_an_example():
    shown = {
        outcome["rejected"]
        for case in CASES
        for line in (case / "expected.jsonl").read_text(encoding="utf-8").splitlines()
        for outcome in json.loads(line)
        if "rejected" in outcome
    }

    assert shown == set(Reason) - ELSEWHERE


def main():
    sys.path.insert(0, str(Path(__file__).parent))
    for case in CASES:
        text = "".join(f"{line}\n" for line in outcomes(case))
        (case / "expected.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
