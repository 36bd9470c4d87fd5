"""What 10,000 rules cost over one: through the mapping alone, and through the whole ingest."""

from __future__ import annotations

import argparse
from time import perf_counter

from benchmarks import fleet
from benchmarks.ingest import BRIDGE_MESSAGES, through_bridge
from benchmarks.report import Row, median, rate, show
from mqttbridge.config.model import Config
from mqttbridge.mapping import Rulebook
from tests.support.processes import free_port

OTHERS = 9_999
PASSES = 100
TARGET = 1.2


def microseconds(rules_before: int, passes: int) -> float:
    """A message, warm: the topic is known, as it is after its first message."""
    book = Rulebook(Config.model_validate(fleet.config(None, fleet.EMBEDDED, rules_before=rules_before)))
    messages = [(topic.encode(), fleet.payload(n)) for n, topic in enumerate(fleet.TOPICS)]
    for topic, _ in messages:
        assert isinstance(book.routes(topic), tuple)
    began = perf_counter()
    for _ in range(passes):
        for topic, payload in messages:
            for route in book.routes(topic):  # type: ignore[union-attr]  # asserted above
                route.apply(payload, 1_700_000_000.0)
    return (perf_counter() - began) / passes / len(messages) * 1e6


def rows(*, rounds: int = 3, share: float = 1.0) -> list[Row]:
    one, many = [], []
    for _ in range(rounds):
        one.append(microseconds(0, int(PASSES * share)))
        many.append(microseconds(OTHERS, int(PASSES * share)))
    ratio = median(many) / median(one)
    down = fleet.initialstate(f"http://127.0.0.1:{free_port()}")
    messages = int(BRIDGE_MESSAGES * share)
    ingest_one, ingest_many = [], []
    for _ in range(rounds):
        ingest_one.append(through_bridge(1, "5", messages, down))
        ingest_many.append(through_bridge(1, "5", messages, down, rules_before=OTHERS))
    figure, beside = (median(run.per_second for run in runs) for runs in (ingest_many, ingest_one))
    return [
        Row(
            f"mapping a message, {OTHERS + 1:,} rules",
            f"{median(many):.2f} us",
            f"one rule {median(one):.2f} us",
            ratio,
            target=f"<= {TARGET:g} x",
            met=ratio <= TARGET,
        ),
        Row(
            f"ingest, QoS 1, MQTT 5, {OTHERS + 1:,} rules",
            rate(figure),
            f"one rule {rate(beside)}",
            figure / beside,
            median(run.cpu for run in ingest_many),
            f">= {1 / TARGET:.2f} x",
            figure / beside >= 1 / TARGET,
        ),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    show(rows(rounds=options.rounds))
