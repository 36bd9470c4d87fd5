from __future__ import annotations

from mqttbridge.config.model import Config
from mqttbridge.mapping import Rulebook
from mqttbridge.tools.recording import Recorded
from mqttbridge.tools.summary import as_json, summarise

CONFIG = Config.model_validate(
    {
        "rules": [
            {"name": "power", "topic": "p/{d}", "format": "number", "bucket": "b", "stream": "{d}"},
            {"name": "idle", "topic": "i/{d}", "bucket": "b", "stream": "{d}"},
        ]
    }
)


def test_each_message_is_mapped_rejected_or_unmatched_and_counted_under_its_rule():
    messages = [
        Recorded(b"p/x", b"1", time=10.0),
        Recorded(b"p/y", b"2", time=20.0),
        Recorded(b"p/x", b"much", time=15.0),
        Recorded(b"\xff", b"1", time=16.0),
        Recorded(b"P/x", b"1", time=17.0),
        Recorded(b"P/x", b"1", time=18.0),
    ]
    told = as_json(summarise(Rulebook(CONFIG), messages))

    assert [told[key] for key in ("messages", "mapped", "rejected", "unmatched", "seconds")] == [6, 2, 2, 2, 10.0]
    power, idle, nobody = told["rules"]
    assert (power["messages"], power["events"], power["topics"], power["streams"]) == (3, 2, 2, 2)
    assert power["rejected"] == {"malformed": 1}
    assert power["examples"]["malformed"] == {"topic": "p/x", "detail": 'expected a number (got "much")'}
    assert idle["messages"] == 0
    assert nobody["rejected"] == {"topic_not_utf8": 1}
    (topic,) = told["unmatched_topics"]
    assert (topic["topic"], topic["messages"], topic["nearest"]["rule"]) == ("P/x", 2, "power")


def test_nothing_heard_is_nothing_counted():
    told = as_json(summarise(Rulebook(CONFIG), []))
    assert (told["messages"], told["seconds"], told["unmatched_topics"]) == (0, 0.0, [])
