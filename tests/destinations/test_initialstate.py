import json
import logging
import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme
from hypothesis import given, strategies as st

from mqttbridge import __version__
from mqttbridge.config.destinations import InitialStateConfig
from mqttbridge.config.spool import SpoolConfig
from mqttbridge.delivery.pacer import Pacers
from mqttbridge.delivery.settlement import Accepted, BucketGone, Kept, Prepared, Refused
from mqttbridge.delivery.uploader import Uploader
from mqttbridge.destinations import DestinationContext, create
from mqttbridge.destinations.base import Delivery
from mqttbridge.destinations.initialstate import InitialStateDestination, bucket_key
from mqttbridge.errors import ConfigError
from mqttbridge.events import Batch, Position, Reason
from mqttbridge.metrics import Metrics
from mqttbridge.spool import Spool
from tests.support.fake_events_api import ACCESS_KEY, BUCKET_REMOVED, FakeEventsApi, Reply

END = Position(1, 1)
FAST = {"calls": 1000, "per": "1s"}


@pytest.fixture
def api():
    with FakeEventsApi(ACCESS_KEY) as server:
        yield server


@pytest.fixture
def make(api):
    made = []

    def build(**options):
        options = {"url": api.url, "access_key": ACCESS_KEY, "timeout": "5s", **options}
        destination = InitialStateDestination("cloud", InitialStateConfig(type="initialstate", **options))
        destination.open()
        made.append(destination)
        return destination

    yield build
    for destination in made:
        destination.close()


def event(stream="temperature", value=21.5, bucket="kitchen", epoch=1_700_000_000.25):
    return (bucket, stream, value, epoch)


def send(destination, *events):
    """As the uploader does: again, after what had to be prepared."""
    settlement = destination.send(Delivery(events, END))
    return destination.send(Delivery(events, END)) if isinstance(settlement, Prepared) else settlement


def test_a_batch_is_one_post_of_an_array_with_the_documented_headers(api, make):
    assert send(make(), event(), event("on", value=True, epoch=1_700_000_001)) == Accepted()
    (request,) = api.requests_to("/events")
    assert request.method == "POST"
    assert json.loads(request.body) == [
        {"key": "temperature", "value": 21.5, "epoch": 1_700_000_000.25},
        {"key": "on", "value": True, "epoch": 1_700_000_001},
    ]
    headers = request.headers
    assert headers["X-IS-AccessKey"] == ACCESS_KEY
    assert headers["X-IS-BucketKey"] == "kitchen"
    assert headers["Accept-Version"] == "~0"
    assert headers["User-Agent"] == f"mqttbridge/{__version__}"
    assert headers["Content-Type"] == "application/json"


def test_a_bucket_is_created_once_with_its_name_and_remembered(api, make):
    destination = make()
    for _ in range(3):
        assert send(destination, event()) == Accepted()
    (request,) = api.requests_to("/buckets")
    assert json.loads(request.body) == {"bucketKey": "kitchen", "bucketName": "kitchen"}
    assert api.buckets == {"kitchen": "kitchen"}


def test_a_send_is_one_request_at_most(api, make):
    destination = make()
    assert destination.send(Delivery([event()], END)) == Prepared()
    assert len(api.requests) == 1
    assert destination.send(Delivery([event()], END)) == Accepted()
    assert len(api.requests) == 2


def test_a_bucket_that_is_already_there_is_fine(api, make):
    api.buckets["kitchen"] = "Küche"
    assert send(make(), event()) == Accepted()


def test_the_remembered_buckets_are_bounded(api, make, monkeypatch):
    monkeypatch.setattr("mqttbridge.destinations.initialstate._MAX_KNOWN_BUCKETS", 2)
    destination = make()
    for bucket in ("a", "b", "c", "c", "a"):
        assert send(destination, event(bucket=bucket)) == Accepted()
    assert [json.loads(request.body)["bucketKey"] for request in api.requests_to("/buckets")] == ["a", "b", "c", "a"]


def test_one_connection_serves_all_requests(api, make):
    destination = make()
    for n in range(5):
        api.script(*[Reply(500, "x" * 5000)] * (n == 2))
        send(destination, event())
    assert api.connections == 1


def test_a_failure_to_create_a_bucket_keeps_the_batch_and_the_next_try_creates_it(api, make):
    api.script(Reply(503))
    destination = make()
    assert isinstance(destination.send(Delivery([event()], END)), Kept)
    assert send(destination, event()) == Accepted()
    assert len(api.requests_to("/buckets")) == 2


def test_a_removed_bucket_is_noticed_at_its_creation_and_at_its_events(api, make):
    destination = make()
    api.script(BUCKET_REMOVED)
    gone = destination.send(Delivery([event()], END))
    assert isinstance(gone, BucketGone)
    assert (gone.bucket, gone.reason) == ("kitchen", Reason.BUCKET_REMOVED)
    api.script(Reply(201), BUCKET_REMOVED)
    assert isinstance(send(destination, event()), BucketGone)


def test_a_bucket_that_cannot_be_created_is_not_searched_for_a_bad_event(api, make):
    api.script(Reply(400, "bad bucket key"))
    gone = make().send(Delivery([event(), event()], END))
    assert isinstance(gone, BucketGone)
    assert gone.reason is Reason.REFUSED


@pytest.mark.parametrize(
    "value", [0, -5, 2**63 - 1, 1e-300, True, False, "", "on", 'a "quote"\n\\', "Grüße 🍺", "\x00"]
)
def test_values_arrive_as_they_are(api, make, value):
    assert send(make(), event(value=value)) == Accepted()
    ((_, got, _),) = api.events_of("kitchen")
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize("transport", ["json", "url"])
@pytest.mark.parametrize("part", ["bucket", "stream", "value"])
def test_text_that_is_no_unicode_is_refused_and_not_sent(api, make, transport, part):
    assert isinstance(send(make(transport=transport), event(**{part: "\ud800"})), Refused)
    assert api.requests_to("/events") == []


def test_a_batch_whose_body_is_too_large_after_all_is_halved_without_asking(api, make):
    destination = make(batch={"max_events": 100, "max_size": 4096})
    assert isinstance(send(destination, *[event(value="\x01" * 500)] * 4), Refused)
    assert api.requests_to("/events") == []
    assert send(destination, event(value="\x01" * 2000)) == Accepted()  # a single one is the server's to judge


# --- bucket keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("kitchen", "kitchen"),
        ("Living Room/1 (left)", "Living Room/1 (left)"),
        ("a:b", "a%3Ab"),
        ('say "it\'s"', "say %22it%27s%22"),
        ("100%", "100%25"),
        ("Küche 🍺", "K%C3%BCche %F0%9F%8D%BA"),
        ("  padded ", "%20%20padded%20"),
        (" ", "%20"),
        ("line\nend", "line%0Aend"),
    ],
)
def test_a_key_is_the_name_percent_encoded_where_it_must_be(bucket, key):
    assert bucket_key(bucket) == key


@given(st.text(min_size=1, max_size=250), st.text(max_size=20))
def test_every_key_is_legal_in_the_api_and_in_a_header(bucket, prefix):
    try:
        (prefix + bucket).encode()
    except UnicodeEncodeError:
        return
    key = bucket_key(bucket, prefix)
    assert 0 < len(key) <= 250
    assert not set(key) & set(":\"'")
    assert key.isascii()
    assert key.isprintable()
    assert key == key.strip()


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=250)


@given(names, names)
def test_two_names_never_share_a_key(one, other):
    assert (bucket_key(one) == bucket_key(other)) == (one == other)


def test_long_names_that_differ_at_the_end_only_keep_apart():
    assert bucket_key("é" * 249 + "a") != bucket_key("é" * 249 + "b")


def test_the_prefix_goes_before_the_key_and_not_into_the_name(api, make):
    assert send(make(bucket_prefix="site-a/"), event()) == Accepted()
    assert api.buckets == {"site-a/kitchen": "kitchen"}
    assert len(api.events_of("site-a/kitchen")) == 1


# --- the url transport ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [(21.5, "21.5"), (3, "3"), (True, "true"), (False, "false"), ("a&b=c d%🍺", "a&b=c d%🍺"), ("", "")],
)
def test_by_url_each_event_is_a_request_of_query_parameters(api, make, value, text):
    destination = make(transport="url")
    assert destination.limits.max_events == 1
    assert send(destination, event("temp & hum", value)) == Accepted()
    assert api.events_of("kitchen") == [("temp & hum", text, None)]
    (request,) = api.requests_to("/events")
    assert request.method == "GET"
    assert request.query[:2] == (("accessKey", ACCESS_KEY), ("bucketKey", "kitchen"))
    assert "X-IS-AccessKey" not in request.headers


def test_by_url_buckets_are_created_too(api, make):
    send(make(transport="url"), event(bucket="Küche: 1"))
    assert api.buckets == {"K%C3%BCche%3A 1": "Küche: 1"}


@pytest.mark.parametrize("stream", ["accessKey", "bucketKey"])
def test_by_url_a_stream_named_as_a_parameter_is_refused(api, make, stream):
    assert isinstance(send(make(transport="url"), event(stream)), Refused)
    assert api.requests_to("/events") == []


# --- what servers and networks do ------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["json", "url"])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(cut=True),
        Reply(503, "busy"),
        Reply(403, f"no such key: {ACCESS_KEY}"),
        Reply(307, headers={"Location": "http://127.0.0.1:1/elsewhere"}),
        Reply(502, b"\x1f\x8bnot gzip at all", headers={"Content-Encoding": "gzip"}),
        Reply(500, "x" * 300_000),
    ],
    ids=["cut", "503", "403 that quotes the key", "redirect", "broken encoding", "endless error page"],
)
def test_no_failure_raises_or_shows_the_access_key(api, make, caplog, transport, reply):
    caplog.set_level(logging.DEBUG)
    destination = make(transport=transport)
    send(destination, event())
    api.script(reply)
    kept = send(destination, event())
    assert isinstance(kept, Kept)
    assert ACCESS_KEY not in f"{kept!r} {destination!r} {destination.limits!r} {caplog.text}"
    assert send(destination, event()) == Accepted()


@pytest.mark.parametrize("transport", ["json", "url"])
def test_a_server_that_is_not_there_is_kept_and_named_plainly(make, caplog, transport):
    caplog.set_level(logging.DEBUG)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        kept = make(url=f"http://127.0.0.1:{unused.getsockname()[1]}/api", transport=transport).send(
            Delivery([event()], END)
        )
    assert isinstance(kept, Kept)
    assert "refused" in kept.detail.lower()
    assert ACCESS_KEY not in kept.detail + caplog.text


@pytest.mark.parametrize("url", ["http://no-such-host.invalid/api", "http://a..b/api"])
def test_a_host_that_has_no_address_is_kept(make, url):
    assert isinstance(make(url=url).send(Delivery([event()], END)), Kept)


@pytest.mark.parametrize("url", ["http://[::1/api", "http:///api", "http://x:99999/api"])
def test_a_url_that_cannot_be_one_is_a_configuration_error(make, url):
    with pytest.raises(ConfigError, match=r"destinations\.cloud\.url"):
        make(url=url)


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_the_timeout(api, make):
    api.script(Reply(201), Reply(204, delay=0.5))
    kept = send(make(timeout="50ms"), event())
    assert kept == Kept("no answer within 0.05 s")


def test_an_answer_that_trickles_is_not_waited_for(make):
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def trickle():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 500 no\r\nContent-Length: 1000000\r\n\r\n")
                while not done.wait(0.01):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        destination = make(url=f"http://127.0.0.1:{listener.getsockname()[1]}/api", timeout="100ms")
        assert isinstance(destination.send(Delivery([event()], END)), Kept)
        done.set()
        thread.join()


def test_a_certificate_nobody_signed_is_not_trusted(make):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake_hands():
            connection, _ = listener.accept()
            with connection, pytest.raises(ssl.SSLError):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=shake_hands)
        thread.start()
        kept = make(url=f"https://127.0.0.1:{listener.getsockname()[1]}/api").send(Delivery([event()], END))
        thread.join()
    assert isinstance(kept, Kept)
    assert "certificate" in kept.detail.lower()


@pytest.mark.parametrize(
    "headers", [{"Content-Encoding": "gzip"}, {"Content-Length": "1000"}], ids=["undecodable", "cut short"]
)
def test_the_status_counts_whatever_becomes_of_the_body(api, make, headers):
    api.script(Reply(201), Reply(200, b"\x1f\x8bno gzip", headers={"Connection": "close", **headers}))
    assert send(make(timeout="200ms"), event()) == Accepted()


def test_cookies_are_not_kept(api, make):
    destination = make()
    api.script(Reply(201, headers={"Set-Cookie": "track=1; Path=/"}))
    send(destination, event())
    assert all("Cookie" not in request.headers for request in api.requests)


@pytest.mark.parametrize("key", ["", " \n", "schlüssel", "a\nb"])
def test_a_key_that_cannot_be_one_is_an_error_that_does_not_show_it(key):
    with pytest.raises(ConfigError, match=r"destinations\.cloud\.access_key") as caught:
        InitialStateDestination("cloud", InitialStateConfig(type="initialstate", access_key=key))
    assert not key.strip() or key not in str(caught.value)


def test_the_line_end_of_a_secrets_file_is_no_part_of_the_key(api, make):
    assert send(make(access_key=ACCESS_KEY + "\n"), event()) == Accepted()


# --- with the uploader and a real spool -------------------------------------------------------------------------------


@pytest.fixture
def deliver(tmp_path, api):
    """Runs an uploader over a real spool until a stop has drained it; returns its spool and metrics."""
    spools = []

    def run(events, **options):
        options = {"url": api.url, "access_key": ACCESS_KEY, "rate_limit": FAST, **options}
        config = InitialStateConfig(type="initialstate", **options)
        metrics = Metrics()
        spool = Spool(tmp_path / f"{len(spools)}.db", SpoolConfig(), metrics, ["cloud"])
        spools.append(spool)
        spool.append([Batch(events)])
        destination = create("cloud", config, DestinationContext(Path(tmp_path)))
        pacer = Pacers().of(destination.limits.rate)
        uploader = Uploader(destination, spool, metrics, pacer=pacer, shutdown_timeout=20, luck=lambda: 0.0)
        uploader.stop()
        uploader.run()
        return spool, metrics

    yield run
    for spool in spools:
        spool.close()


def test_events_of_many_buckets_arrive_in_order_and_each_bucket_is_created_once(api, deliver):
    events = [event(f"s{n % 2}", n, bucket=f"b{n % 7}") for n in range(500)]
    deliver(events)
    for b in range(7):
        assert [value for _, value, _ in api.events_of(f"b{b}")] == list(range(b, 500, 7))
    assert len(api.requests_to("/buckets")) == 7


def test_one_bad_event_is_rejected_with_the_servers_words_and_the_rest_arrives(api, deliver):
    api.judge = lambda events: Reply(422, "no 13s") if any(one.value == 13 for one in events) else None
    spool, metrics = deliver([event(value=n) for n in range(40)])
    assert [value for _, value, _ in api.events_of("kitchen")] == [n for n in range(40) if n != 13]
    (row,) = spool.rejected_rows()
    assert (row.reason, row.topic, row.destination) == ("refused", "kitchen/temperature", "cloud")
    assert "no 13s" in row.detail
    assert metrics.refused.value(destination="cloud") == metrics.rejected.value(reason="refused") == 1


def test_a_server_that_takes_less_than_we_send_gets_halves(api, deliver):
    api.judge = lambda events: Reply(413, "too large") if len(events) > 3 else None
    spool, _ = deliver([event(value=n) for n in range(50)], batch={"max_events": 50})
    assert [value for _, value, _ in api.events_of("kitchen")] == list(range(50))
    assert spool.rejected_rows() == []


def test_outages_cost_nothing_but_time(api, deliver):
    api.script(
        Reply(503), Reply(cut=True), Reply(201), Reply(429, headers={"Retry-After": "0"}), Reply(cut=True), Reply(502)
    )
    spool, metrics = deliver([event(value=n) for n in range(30)])
    assert [value for _, value, _ in api.events_of("kitchen")] == list(range(30))
    assert metrics.delivered.value(destination="cloud") == 30
    assert spool.stats().kept == {"cloud": 0}


@pytest.mark.parametrize("status", [401, 402, 403])
def test_what_only_a_human_can_mend_loses_nothing(api, deliver, status):
    api.always(status)
    spool, _ = deliver([event(value=n) for n in range(30)])
    assert api.events == []
    assert len(api.requests) == 1
    assert spool.stats().kept == {"cloud": 30}
    assert spool.rejected_rows() == []


def test_no_more_requests_start_than_the_account_allows(api, deliver):
    deliver([event(value=n) for n in range(12)], transport="url", rate_limit={"calls": 5, "per": "500ms"})
    times = [request.at for request in api.requests]
    assert len(times) == 13
    assert all(later - first >= 0.5 for first, later in zip(times, times[5:], strict=False))
