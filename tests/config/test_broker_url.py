import pytest

from mqttbridge.config.broker_url import checked_broker_url


@pytest.mark.parametrize(
    "url",
    ["mqtt://b", "mqtt://b:1883/", "mqtts://[::1]:8883", "ws://b/mqtt", "wss://b:443/some/path", "unix:///run/m.sock"],
)
def test_a_broker_s_url_is_taken_as_it_is(url):
    assert checked_broker_url(url) == url


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("tcp://b:1883", "did you mean mqtt://b:1883?"),
        ("ssl://b:8883", "did you mean mqtts://b:8883?"),
        ("mqtt+ssl://b", "did you mean mqtts://b?"),
        ("localhost:1883", "did you mean mqtt://localhost:1883?"),
        ("192.168.1.5:8883", "did you mean mqtts://192.168.1.5:8883?"),
        ("[::1]:1883", "did you mean mqtt://[::1]:1883?"),
        ("broker.lan", "did you mean mqtt://broker.lan?"),
        ("mqtt:b", "unix:// and a host"),
    ],
)
def test_what_other_programs_write_is_recognised(url, meant):
    with pytest.raises(ValueError, match="expected mqtt://") as caught:
        checked_broker_url(url)
    assert str(caught.value).endswith(meant)


@pytest.mark.parametrize("url", ["tcp://bridge:hunter2@b:1883", "bridge:hunter2@b:1883", "//bridge:hunter2@b"])
def test_a_guess_never_repeats_a_password(url):
    with pytest.raises(ValueError, match="expected mqtt://") as caught:
        checked_broker_url(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mqtt://b/foo", "mqtt:// has no path"),
        ("mqtts://b:1/foo", "mqtts:// has no path"),
        ("ws://b/mqtt?x=1", "leave '?' and '#' out"),
        ("mqtt://b#x", "leave '?' and '#' out"),
        ("unix://", "unix:///path"),
        ("mqtt://", "the host is missing"),
    ],
)
def test_what_would_be_ignored_is_refused(url, words):
    with pytest.raises(ValueError, match=r".") as caught:
        checked_broker_url(url)
    assert words in str(caught.value)
