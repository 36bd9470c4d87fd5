"""Programs that others wrote, unchanged: the official reader, the npm package, curl, and the tutorial's code.

The official streamer is in test_events_api.py.
"""

import json
import os
import shutil
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest
import requests
from ISReader.Reader import Reader

from tests.support.dashboards import serve

ACCESS_KEY = "ist_TS0QPEcCQ8CLiahhFmB5EbEzPrCZACdr"

INITIAL_STATE = "initial-state@0.2.0"
# The package speaks HTTPS to port 443, as to a server behind a proxy; this is the proxy.
TO_OUR_SERVER = """
const https = require("https"), http = require("http");
https.request = (options, done) => http.request({ ...options, port: process.env.PORT }, done);
"""
PUSH = """
const bucket = require("initial-state").bucket({ id: "npm", name: "From npm" }, process.env.KEY);
bucket.on("error", (error) => { console.error(String(error)); process.exit(1); });
bucket.on("ready", (created) => console.log(JSON.stringify({ created })));
bucket.on("drain", () => console.log("drained"));
bucket.push("temperature", 21.5);
bucket.push("door", "open");
const at = Number(process.env.AT);
bucket.push("at", 7, at);
bucket.push("date", 8, new Date(at).toISOString());
bucket.push("on", true);
"""


@pytest.fixture
def guarded(tmp_path):
    """A server that wants a key, since every client sends one."""
    with serve(tmp_path, {"write_keys": [ACCESS_KEY]}) as running:
        yield running


def stored(served):
    return [event[:3] for event in served.spool.events]


def run(*command, **environment):
    """The standard output of a program that must succeed."""
    done = subprocess.run(
        command,
        env={**os.environ, "NO_PROXY": "*", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout.decode()  # with its line ends as they are


# --- the official reader -----------------------------------------------------------------------------------


# It leaves the closing of its sockets to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_official_reader_reads_the_latest_values(guarded, tmp_path):
    headers = {"X-IS-AccessKey": ACCESS_KEY, "X-IS-BucketKey": "gh"}
    at = time.time() - 60
    events = [{"key": "t", "value": 66.5, "epoch": at}, {"key": "on", "value": True}, {"key": "s", "value": "x"}]
    guarded.post("/api/events", json=events, headers=headers)
    ini = tmp_path / "isreader.ini"
    ini.write_text(
        f"[isreader.client_config]\naccess_key={ACCESS_KEY}\nbucket_key=gh\n\n"
        f"[isreader.api_config]\napi_base={guarded.url}\n"
    )

    reader = Reader(ini_file_location=str(ini))
    latest, one = reader.get_latest(), reader.get_latest(keys=["t", "none"])

    assert {key: entry["value"] for key, entry in latest.items()} == {"t": "66.5", "on": "true", "s": "x"}
    assert one == {"t": {"value": "66.5", "epoch": pytest.approx(at, abs=1e-6)}}


# --- the npm package ---------------------------------------------------------------------------------------


@pytest.mark.timeout(240)
def test_the_npm_package_creates_its_bucket_and_streams(guarded, tmp_path):
    npm, node = shutil.which("npm"), shutil.which("node")
    assert npm, "this test needs node and npm: install them"
    assert node
    (tmp_path / "package.json").write_text("{}")
    quietly = ("--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=4")
    run(npm, "install", "--prefix", tmp_path, *quietly, INITIAL_STATE)
    (tmp_path / "proxy.js").write_text(TO_OUR_SERVER)
    (tmp_path / "push.js").write_text(PUSH)
    at = int(time.time()) - 86400
    host, _, port = guarded.url.removeprefix("http://").partition(":")

    where = {"IS_API_HOST": host, "PORT": port, "KEY": ACCESS_KEY}
    said = run(node, "-r", tmp_path / "proxy.js", tmp_path / "push.js", **where, AT=str(1000 * at))

    assert said.splitlines() == ['{"created":true}', "drained"]
    assert stored(guarded) == [
        ("npm", "temperature", 21.5),
        ("npm", "door", "open"),
        ("npm", "at", 7),
        ("npm", "date", 8),
        ("npm", "on", "true"),
    ]
    epochs = [event[3] for event in guarded.spool.events]
    assert epochs[0] > at + 80_000
    assert epochs[2:4] == [at, at]
    names = {
        one["key"]: one["name"]
        for one in guarded.get("/api/v1/buckets", params={"accessKey": ACCESS_KEY}).json()["buckets"]
    }
    assert names == {"npm": "From npm"}


# --- curl --------------------------------------------------------------------------------------------------


def curl(*arguments):
    """The status and the headers (names in lower case) of curl's answer."""
    text = run("curl", "--silent", "--show-error", "--max-time", "50", "--include", *arguments)
    *_, head = (part for part in text.split("\r\n\r\n") if part.startswith("HTTP/"))
    status, *lines = head.split("\r\n")
    return int(status.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


def test_curl_sends_every_form(guarded):
    api, keys = f"{guarded.url}/api", f"accessKey={ACCESS_KEY}&bucketKey=c"
    headers = ("-H", f"X-IS-AccessKey: {ACCESS_KEY}", "-H", "X-IS-BucketKey: c", "-H", "Accept-Version: ~0")
    at = datetime.now(timezone(timedelta(hours=6))).replace(microsecond=0) - timedelta(days=1)
    iso8601 = at.isoformat().replace("+06:00", ".1234567+06:00")
    body = json.dumps({"key": "json", "value": "1.5", "iso8601": iso8601})

    answers = [
        curl("-X", "POST", f"{api}/buckets?{keys}&bucketName=:house:%20C"),
        curl(f"{api}/buckets?{keys}"),
        curl(*headers, "-H", "Content-Type: application/json", "-d", body, f"{api}/events"),
        curl("-d", body, f"{api}/events?{keys}"),
        curl("-G", "--data-urlencode", "temp%20%C3%A9=21.5", f"{api}/events?{keys}"),
        curl("-X", "POST", f"{api}/events?{keys}&posted=on"),
        curl(f"{api}/events?bucketKey=c&x=1"),
    ]

    assert [status for status, _ in answers] == [201, 204, 204, 204, 204, 204, 401]
    assert all({"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= set(h) for _, h in answers)
    assert stored(guarded) == [("c", "json", 1.5)] * 2 + [("c", "temp é", 21.5), ("c", "posted", "on")]
    assert guarded.spool.events[0][3] == at.timestamp() + 0.123456


def test_curl_hears_413_before_it_has_sent_a_gigabyte(guarded, tmp_path):
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(10**9)  # takes no room on the disk

    text = run(
        *("curl", "--silent", "--max-time", "50", "--output", tmp_path / "answer", "-T", huge, "-X", "POST"),
        *("--write-out", "%{http_code} %{size_upload}", f"{guarded.url}/api/events?bucketKey=c&accessKey={ACCESS_KEY}"),
    )

    status, sent = text.split()
    assert status == "413"
    assert int(sent) < 100_000_000
    assert stored(guarded) == []


# --- the tutorial's code -----------------------------------------------------------------------------------


def create_bucket(endpoint, bucket_key, bucket_name):
    headers = {"Content-Type": "application/json", "X-IS-AccessKey": ACCESS_KEY, "Accept-Version": "~0"}
    data = {"bucketKey": bucket_key, "bucketName": bucket_name}
    with requests.post(endpoint, headers=headers, data=json.dumps(data), timeout=10) as result:
        return result.status_code


def stream_data(endpoint, bucket_key, name, value):
    headers = {
        "Content-Type": "application/json",
        "X-IS-AccessKey": ACCESS_KEY,
        "X-IS-BucketKey": bucket_key,
        "Accept-Version": "~0",
    }
    data = [{"key": name, "value": value}]
    with requests.post(endpoint, headers=headers, data=json.dumps(data), timeout=10) as result:
        return result.status_code


def test_the_tutorial_s_json_functions_work_with_the_endpoint_changed(guarded):
    created = [create_bucket(f"{guarded.url}/api/buckets", "python_data", "My Python Data") for _ in range(2)]
    sent = stream_data(f"{guarded.url}/api/events", "python_data", "myNumber", 10)

    assert (created, sent) == ([201, 204], 204)
    assert stored(guarded) == [("python_data", "myNumber", 10)]


def test_the_tutorial_s_urls_work_with_the_host_changed(guarded):
    host = guarded.url
    bucket = f"{host}/api/buckets?accessKey={ACCESS_KEY}&bucketKey=BUCKET_KEY&bucketName=NAME"
    event = f"{host}/api/events?accessKey={ACCESS_KEY}&bucketKey=BUCKET_KEY&signalName=NAME"
    answers = [requests.get(url, timeout=10) for url in (bucket, event)]

    assert [answer.status_code for answer in answers] == [201, 204]
    assert stored(guarded) == [("BUCKET_KEY", "signalName", "NAME")]
