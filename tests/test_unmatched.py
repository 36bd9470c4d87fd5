"""What nobody takes is remembered, and bounded."""

from mqttbridge.unmatched import MAX_PAYLOAD_BYTES, MAX_SAMPLES, Unmatched


def test_the_last_to_speak_come_first_with_their_last_payloads():
    strays = Unmatched()
    for at in range(5):
        strays.note(b"a", b"%d" % at, float(at))
    strays.note(b"b", b"x", 9.0)

    first, second = strays.latest()

    assert (first.topic, first.messages) == (b"b", 1)
    assert (second.topic, second.messages, second.at) == (b"a", 5, 4.0)
    assert second.samples == [(b"2", 2.0), (b"3", 3.0), (b"4", 4.0)]
    assert len(second.samples) == MAX_SAMPLES


def test_a_flood_of_topics_and_of_bytes_stays_bounded():
    strays = Unmatched(most=10)
    for number in range(1000):
        strays.note(b"t%d" % number, b"x" * 100_000, float(number))

    kept = strays.latest()

    assert len(kept) <= 10
    assert kept[0].topic == b"t999"
    assert strays.forgotten == 1000 - len(kept)
    assert all(len(payload) == MAX_PAYLOAD_BYTES + 1 for one in kept for payload, _ in one.samples)


def test_what_is_forgotten_is_met_anew():
    strays = Unmatched()
    strays.note(b"a", b"1", 1.0)
    strays.forget(b"a")
    strays.note(b"a", b"2", 2.0)

    assert [(one.messages, one.samples) for one in strays.latest()] == [(1, [(b"2", 2.0)])]
