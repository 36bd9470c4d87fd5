"""Golden cases: messages with known outcomes, to be kept in version control beside the rules.

A case is a folder with `config.yaml`, `messages.jsonl` and `expected.jsonl`. Line N of `expected.jsonl` is for line N
of `messages.jsonl`: a list with an outcome for each rule that takes the message, an empty list where none does.
Messages arrive at 1760000000 (2025-10-09T08:53:20Z) unless they have a `time`, so that what `mqttbridge record` wrote
is a `messages.jsonl` as it is, or an `at`, in seconds after that; `repeat` repeats the payload, and `properties` are
MQTT 5 user properties by name. `{"tick": N}` lets the clock reach N seconds after it: thinning intervals that are over
by then pass their events on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, TypeAlias

from mqttbridge.errors import FileError
from mqttbridge.events import PayloadWithProperties, Rejected
from mqttbridge.mapping import Rulebook
from mqttbridge.tools.recording import bytes_of

ARRIVAL: Final = 1_760_000_000.0
# `repeat` makes a large payload of a short line; this much shows every bound there is.
_MAX_PAYLOAD_BYTES: Final = 64 * 2**20

CONFIG, MESSAGES, EXPECTED = "config.yaml", "messages.jsonl", "expected.jsonl"

Load: TypeAlias = Callable[[Path], Rulebook]


@dataclass(frozen=True, slots=True)
class Difference:
    """A message that became something else than expected.

    Attributes:
        line: of `messages.jsonl`, from 1.
        message: that line; None when only something was expected.
        expected, got: outcomes as JSON; None where there is no such line.
    """

    line: int
    message: str | None
    expected: str | None
    got: str | None


def cases_in(folder: Path) -> list[Path]:
    """Every case in a folder and below it, by name; the folder itself may be one."""
    return sorted(path.parent for path in folder.rglob(CONFIG) if (path.parent / MESSAGES).exists())


def outcomes(case: Path, load: Load) -> Iterator[str]:
    """A line of JSON for each message of a case.

    Raises:
        FileError: `messages.jsonl` cannot be read.
        ConfigError: the configuration cannot be used.
    """
    book = load(case / CONFIG)
    for number, line in enumerate(_lines(case / MESSAGES), 1):
        try:
            message = json.loads(line)
            told = _tick(book, ARRIVAL + message["tick"]) if "tick" in message else _outcome(book, *_read(message))
        except (ValueError, TypeError, AttributeError) as error:
            raise FileError(f"{case / MESSAGES}:{number}: not a message: {error}") from None
        yield json.dumps(list(told), ensure_ascii=False)


def differences(case: Path, load: Load) -> list[Difference]:
    """What is not as `expected.jsonl` has it; formatting and the order of keys do not matter.

    Raises:
        FileError, ConfigError: as `outcomes`.
    """
    expected = _lines(case / EXPECTED) if (case / EXPECTED).exists() else []
    found = []
    rows = zip_longest(_lines(case / MESSAGES), expected, outcomes(case, load))
    for number, (message, wanted, got) in enumerate(rows, 1):
        if wanted is None or got is None or not _same(wanted, got):
            found.append(Difference(number, message, wanted, got))
    return found


def update(case: Path, load: Load) -> bool:
    """Write `expected.jsonl` anew where it differs; whether it did."""
    lines = list(outcomes(case, load))
    text = "".join(f"{line}\n" for line in lines)
    path = case / EXPECTED
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def _outcome(book: Rulebook, topic: bytes, payload: bytes, arrival: float) -> Iterator[Mapping[str, Any]]:
    routes = book.routes(topic)
    if isinstance(routes, Rejected):
        yield {"rule": routes.rule, "rejected": routes.reason, "detail": routes.detail}
        return
    for route in routes:
        result = route.apply(payload, arrival)
        if isinstance(result, Rejected):
            yield {"rule": route.rule, "rejected": result.reason, "detail": result.detail}
            continue
        if route.thinner is not None:
            result = [kept for event in result for kept, _, _ in route.thinner.offer(event, arrival, None)]
        told: dict[str, Any] = {"rule": route.rule, "events": result}
        if route.to:
            told["to"] = route.to
        if units := {stream: unit for (_, stream), unit in route.new_units.items() if unit}:
            told["units"] = units
        route.new_units.clear()
        yield told


def _tick(book: Rulebook, now: float) -> Iterator[Mapping[str, Any]]:
    """What the intervals that are over by then pass on."""
    yield from ({"to": to, "events": events} for to, events in book.tick(now))


def _read(message: Mapping[str, Any]) -> tuple[bytes, bytes, float]:
    repeat, at = message.get("repeat", 1), message.get("time", ARRIVAL + message.get("at", 0))
    payload = bytes_of(message, "payload")
    if not isinstance(repeat, int) or not 0 <= repeat * len(payload) <= _MAX_PAYLOAD_BYTES:
        raise ValueError("repeat must be a number, and the payload at most 64 MiB")
    payload *= repeat
    if "properties" in message:
        payload = PayloadWithProperties.of(payload, _user_properties(message["properties"]))
    return bytes_of(message, "topic"), payload, float(at)


def _user_properties(properties: Mapping[str, str]) -> bytes:
    """User properties as they stand in an MQTT 5 PUBLISH."""
    return b"".join(
        b"\x26" + b"".join(len(text.encode()).to_bytes(2, "big") + text.encode() for text in pair)
        for pair in properties.items()
    )


def _lines(path: Path) -> list[str]:
    try:
        # Not `splitlines`: a payload may hold U+2028 and its like, which end no line of JSON.
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"cannot read {path}: {error}") from error


def _same(wanted: str, got: str) -> bool:
    try:
        # By their text: 22 and 22.0, 1 and true are one to Python, and two streams to a dashboard.
        return json.dumps(json.loads(wanted), sort_keys=True) == json.dumps(json.loads(got), sort_keys=True)
    except ValueError:
        return False
