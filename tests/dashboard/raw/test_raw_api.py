"""Rows, summaries and files over HTTP."""

import csv
import io
import json
import time

import pytest
import requests

from mqttbridge.dashboard.raw import api, export, schemas
from mqttbridge.dashboard.raw.formats import iso_time, plain
from mqttbridge.dashboard.raw.query import MAX_EPOCH, Range
from mqttbridge.dashboard.schemas import Error
from mqttbridge.errors import StoreError
from tests.support.dashboards import serve

NOW = float(int(time.time()) - 100)


@pytest.fixture
def filled(served):
    served.dashboard.store.append(
        [
            ("b", "t", 20.5, NOW),
            ("b", "t", -1, NOW + 1),
            ("b", "on", True, NOW + 2),
            ("b", "=say", "=HYPERLINK(1)", NOW + 3),
        ],
        {("b", "t"): "°C"},
    )
    return served


def ask(served, what, status=200, bucket="b", **params):
    answer = served.get(f"/api/v1/buckets/{bucket}/{what}", params=params)
    assert answer.status_code == status, answer.text
    return answer


def test_rows_come_newest_first_with_units_and_where_to_go_on(filled):
    first = schemas.StoredRows.model_validate(ask(filled, "events", limit=3).json())
    rest = schemas.StoredRows.model_validate(ask(filled, "events", limit=3, cursor=first.next).json())

    assert [(row[0] - NOW, *row[1:]) for row in first.rows + rest.rows] == [
        (3, "=say", "=HYPERLINK(1)"),
        (2, "on", True),
        (1, "t", -1),
        (0, "t", 20.5),
    ]
    assert (first.units, rest.next) == ({"t": "°C"}, None)


def test_rows_are_filtered_and_ordered_as_asked(filled):
    assert [row[1] for row in ask(filled, "events", order="asc", stream=["t", "on"]).json()["rows"]] == ["t", "t", "on"]
    assert [row[2] for row in ask(filled, "events", least=0, after=NOW - 1, before=NOW + 2).json()["rows"]] == [20.5]
    assert [row[2] for row in ask(filled, "events", text="hyper").json()["rows"]] == ["=HYPERLINK(1)"]


def test_a_summary_is_of_the_range(filled):
    streams = schemas.Summary.model_validate(ask(filled, "summary", after=NOW, before=NOW + 3).json()).streams

    assert set(streams) == {"t", "on"}
    assert streams["t"].model_dump() == {
        "count": 2,
        "least": -1,
        "mean": 9.75,
        "greatest": 20.5,
        "first": {"value": 20.5, "epoch": NOW},
        "last": {"value": -1, "epoch": NOW + 1},
    }


@pytest.mark.parametrize(
    ("what", "params"),
    [
        ("events", {"limit": 0}),
        ("events", {"limit": 1.5}),
        ("events", {"order": "up"}),
        ("events", {"cursor": "x"}),
        ("events", {"least": "nan"}),
        ("events", {"text": "x" * 201}),
        ("summary", {"after": 5, "before": 5}),
        ("summary", {"after": 1e15}),
        ("export", {"format": "xls"}),
        ("export", {"before": "now"}),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(filled, what, params):
    assert Error.model_validate(ask(filled, what, 400, **params).json()).error


@pytest.mark.parametrize("what", ["events", "summary", "export"])
def test_a_bucket_or_dashboard_that_is_not_there_is_404(filled, tmp_path, what):
    ask(filled, what, 404, bucket="no")
    with serve(tmp_path / "none", embedded=False) as without:
        assert "embedded" in ask(without, what, 404).json()["error"]


def test_csv_has_every_row_and_no_formula(filled):
    answer = ask(filled, "export")

    assert list(csv.reader(io.StringIO(answer.content.decode()))) == [
        ["time", "stream", "value", "unit"],
        [iso_time(int(NOW) * 10**6), "t", "20.5", "°C"],
        [iso_time(int(NOW + 1) * 10**6), "t", "-1", "°C"],
        [iso_time(int(NOW + 2) * 10**6), "on", "true", ""],
        [iso_time(int(NOW + 3) * 10**6), "'=say", "'=HYPERLINK(1)", ""],
    ]
    assert answer.headers["content-disposition"].startswith('attachment; filename="b.csv"')


def test_json_lines_keep_every_value_as_it_is(filled):
    lines = ask(filled, "export", format="jsonl", after=NOW + 1).text.splitlines()

    assert [json.loads(line) for line in lines] == [
        {"epoch": NOW + 1, "stream": "t", "value": -1, "unit": "°C"},
        {"epoch": NOW + 2, "stream": "on", "value": True},
        {"epoch": NOW + 3, "stream": "=say", "value": "=HYPERLINK(1)"},
    ]


def test_parquet_has_a_column_for_each_kind(filled):
    from pyarrow import parquet  # noqa: PLC0415

    table = parquet.read_table(io.BytesIO(ask(filled, "export", format="parquet").content))

    assert table.column_names == ["time", "stream", "number", "boolean", "text", "unit"]
    assert [tuple(row.values())[1:] for row in table.to_pylist()] == [
        ("t", 20.5, None, None, "°C"),
        ("t", -1.0, None, None, "°C"),
        ("on", None, True, None, None),
        ("=say", None, None, "=HYPERLINK(1)", None),
    ]
    assert table["time"][0].as_py().timestamp() == NOW


def test_a_range_without_rows_is_a_file_without_rows(filled):
    assert ask(filled, "export", after=5, before=6).text.splitlines() == ["time,stream,value,unit"]
    assert ask(filled, "export", after=5, before=6, format="jsonl").content == b""
    assert ask(filled, "export", after=5, before=6, format="parquet").content[:4] == b"PAR1"


def test_where_the_extra_is_missing_the_answer_says_what_to_install(filled, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mqttbridge.dashboard.raw.parquet", None)

    assert "mqttbridge[parquet]" in ask(filled, "export", 501, format="parquet").json()["error"]


def test_a_store_that_fails_on_the_way_breaks_the_download_off(filled, monkeypatch, caplog):
    def rows(*_):
        yield [(int(NOW) * 10**6, "t", 1.0)]
        raise StoreError("the disk is gone")

    monkeypatch.setattr(filled.dashboard.store, "rows", rows)

    with pytest.raises(requests.exceptions.RequestException):
        ask(filled, "export")
    assert "the disk is gone" in caplog.text


def test_a_store_that_fails_at_once_is_said_so(filled, monkeypatch):
    def rows(*_):
        raise StoreError("the disk is gone")

    monkeypatch.setattr(filled.dashboard.store, "rows", rows)

    assert "disk" in ask(filled, "export", 503).json()["error"]
    assert "disk" in ask(filled, "events", 503).json()["error"]


def test_a_download_is_sent_while_it_is_read_and_few_run_at_once(filled, monkeypatch):
    monkeypatch.setattr(export.Exports, "MOST", 1)
    taken = []

    def rows(*_):
        for n in range(400):
            taken.append(n)
            yield [(int(NOW) * 10**6 + n, "t", "x" * 1000)] * 100

    monkeypatch.setattr(filled.dashboard.store, "rows", rows)
    url = f"{filled.url}/api/v1/buckets/b/export"
    with requests.get(url, stream=True, timeout=10) as answer:
        parts = answer.iter_content(1000)
        next(parts)
        assert len(taken) < 400  # 40 MB: more than any buffer between takes
        assert ask(filled, "export", 503).headers["retry-after"]
    deadline = time.monotonic() + 10
    while filled.get("/api/v1/buckets/b/export", params={"format": "xls"}).status_code == 503:
        assert time.monotonic() < deadline
    assert len(taken) < 400


def test_a_head_request_reads_no_rows(filled):
    answer = filled.session.head(f"{filled.url}/api/v1/buckets/b/export", timeout=10)

    assert (answer.status_code, answer.content) == (200, b"")
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("bucket", "after", "before", "name"),
    [
        ("kitchen", 0, MAX_EPOCH, "kitchen.csv"),
        ("a/b ../x", 1.7e9, 1.7e9 + 1, "a_b_.._x_20231114T221320Z_20231114T221321Z.csv"),
        ("日本", 0, MAX_EPOCH, "日本.csv"),
        ("..", 0, MAX_EPOCH, "bucket.csv"),
        ('"; x="\r\n', 0, MAX_EPOCH, "x.csv"),
    ],
)
def test_a_file_is_named_after_its_bucket_and_range(bucket, after, before, name):
    assert export.file_name(Range(bucket, (), after, before), "csv") == name


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\uff1d1"])
def test_no_text_is_taken_for_a_formula(text):
    assert plain(text) == f"'{text}"
    assert plain(f" {text}x") == f" {text}x"


def test_times_beyond_the_calendar_are_numbers():
    assert iso_time(-1) == "1969-12-31T23:59:59.999999Z"
    assert iso_time(10**18) == "1000000000000.0"


def test_units_are_those_of_the_bucket(filled):
    assert api.units_of(filled.dashboard.store, "b") == {"=say": "", "on": "", "t": "°C"}
