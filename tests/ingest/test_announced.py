"""What devices announce is kept across restarts, and of it only what changed is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mqttbridge.announced import Announced, recall_announcements
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.errors import SpoolError
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool

BIRTHS = {f"spBv1.0/g/NBIRTH/n{n}": bytes([0x80, n]) * 20_000 for n in range(50)}
ANNOUNCED = {"homeassistant/sensor/x/config": b'{"name": "\xc3\xbc"}', **BIRTHS}


class Book:
    """The part of a rulebook that hears announcements."""

    filters = ()
    announces = True

    def __init__(self, said: Mapping[str, bytes] = {}) -> None:
        self.said, self.announced = dict(said), 0
        self.recalled: dict[str, bytes] = {}

    def announcements(self) -> dict[str, bytes]:
        return dict(self.said)

    def recall(self, announcements: Mapping[str, bytes]) -> None:
        self.recalled = dict(announcements)

    def hear(self, topic: str, payload: bytes | None) -> None:
        self.announced += 1
        self.said.pop(topic, None)
        if payload is not None:
            self.said[topic] = payload


class Watched:
    """A spool on disk that notes what it is told to write."""

    def __init__(self, path: Path) -> None:
        self.spool = Spool(path, SpoolConfig(), Metrics(), ("dashboard",))
        self.writes: list[tuple[list[str], list[str]]] = []
        self.fails = False

    def keep_announcements(self, changed: Mapping[str, str], gone: Any) -> None:
        if self.fails:
            raise SpoolError("the disk is full")
        self.writes.append((list(changed), list(gone)))
        self.spool.keep_announcements(changed, gone)

    def announcements(self) -> dict[str, str]:
        return self.spool.announcements()


@pytest.fixture
def watched(tmp_path):
    watched = Watched(tmp_path / "spool.db")
    yield watched
    watched.spool.close()


def following(book: Book, watched: Watched) -> Announced:
    made = Announced(book, watched, subscribe=lambda _: None)  # type: ignore[arg-type]
    made._next_save = 0.0
    return made


def test_texts_and_bytes_are_known_again_after_a_restart(watched):
    book = Book()
    announced = following(book, watched)
    for topic, payload in ANNOUNCED.items():
        book.hear(topic, payload)
    announced.save()

    again = Book()
    recall_announcements(again, watched)  # type: ignore[arg-type]
    assert again.recalled == ANNOUNCED


def test_of_a_node_that_comes_and_goes_its_own_birth_is_written_and_no_other(watched):
    book = Book()
    announced = following(book, watched)
    for topic, payload in ANNOUNCED.items():
        book.hear(topic, payload)
    announced.save()
    watched.writes.clear()
    flapping = "spBv1.0/g/NBIRTH/n7"

    book.hear(flapping, None)
    announced.save()
    book.hear(flapping, BIRTHS[flapping])
    announced.save()
    book.hear(flapping, None)
    book.hear(flapping, BIRTHS[flapping])
    announced.save()

    assert watched.writes == [([], [flapping]), ([flapping], [])]


def test_after_a_restart_what_is_known_already_is_not_written_again(watched):
    first = Book()
    announced = following(first, watched)
    first.hear("t", b"1")
    announced.save()
    watched.writes.clear()

    book = Book(first.said)
    announced = following(book, watched)
    book.hear("u", b"2")
    announced.follow()
    book.hear("t", b"3")
    announced.follow()  # too soon: what comes meanwhile is written with it

    assert watched.writes == [(["u"], [])]


def test_a_full_disk_costs_no_announcement(watched):
    book = Book()
    announced = following(book, watched)
    watched.fails = True
    book.hear("t", b"1")
    announced.save()
    watched.fails = False
    announced.save()

    assert watched.writes == [(["t"], [])]
