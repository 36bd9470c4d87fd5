import pytest

from mqttbridge.config.contradictions import contradictions
from mqttbridge.config.model import Config


def found(**config):
    return list(contradictions(Config.model_validate(config)))


def cloud(url):
    return {"cloud": {"type": "initialstate", "access_key": "k", "url": url}}


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/api"),
        ("127.0.0.1:8080", "http://localhost:8080/api"),
        ("localhost:8080", "http://[::1]:8080/api"),
        ("127.0.0.1:80", "http://LOCALHOST./api"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080/api"),
        ("[::]:8080", "http://localhost:8080/api"),
        ("0.0.0.0:8080", "http://127.8.8.8:8080/api"),
        ("192.168.1.5:8080", "http://192.168.1.5:8080/api"),
        ("127.0.0.1:8080", "http://0.0.0.0:8080/api"),
    ],
)
def test_a_destination_that_is_our_own_address_is_refused(listen, url):
    ((loc, what),) = found(mqtt=None, http={"listen": listen}, destinations=cloud(url))
    assert loc == ("destinations", "cloud", "url")
    assert "our own address" in what


@pytest.mark.parametrize(
    ("http", "url"),
    [
        ({"listen": "127.0.0.1:8080"}, "http://127.0.0.1:8081/api"),
        ({"listen": "127.0.0.1:8080"}, "http://192.168.1.5:8080/api"),
        ({"listen": "192.168.1.5:8080"}, "http://127.0.0.1:8080/api"),
        ({"listen": "0.0.0.0:8080"}, "http://other.lan:8080/api"),
        ({"listen": "127.0.0.1:8080", "enabled": False}, "http://127.0.0.1:8080/api"),
        ({"listen": "127.0.0.1:8080"}, "http://127.0.0.1:99999/api"),
    ],
)
def test_another_bridge_is_not_taken_for_ourselves(http, url):
    assert found(mqtt=None, http=http, destinations=cloud(url)) == []


@pytest.mark.parametrize("url", ["mqtt://b", "ws://b", "unix:///s"])
def test_tls_keys_without_tls_are_refused_one_by_one(url):
    problems = found(mqtt={"url": url, "tls": {"ca_file": "ca.pem", "verify": False}})
    assert [loc for loc, _ in problems] == [("mqtt", "tls", "ca_file"), ("mqtt", "tls", "verify")]
    assert all("is without TLS; use mqtts:// or wss://" in what for _, what in problems)


def test_tls_keys_at_their_defaults_mean_nothing():
    assert found(mqtt={"url": "mqtt://b", "tls": {"ca_file": None, "verify": True}}) == []


def test_certificate_files_have_to_be_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").touch()
    tls = {"ca_file": "ca.pem", "cert_file": "none.pem", "key_file": str(tmp_path)}
    assert found(mqtt={"url": "mqtts://b", "tls": tls}) == [
        (("mqtt", "tls", "cert_file"), "there is no such file in the working directory (got 'none.pem')"),
        (("mqtt", "tls", "key_file"), f"is no file (got {str(tmp_path)!r})"),
    ]


def test_a_dashboards_file_has_to_be_there(tmp_path):
    (tmp_path / "there.json").write_text("{}")
    dashboards = {"a": {"file": str(tmp_path / "there.json")}, "b": {"file": "missing.json"}}

    assert found(mqtt=None, dashboards=dashboards) == [
        (("dashboards", "b", "file"), "there is no such file in the working directory (got 'missing.json')")
    ]


def test_alerts_need_a_dashboard_to_watch_and_a_broker_to_publish_to():
    rule = {"name": "r", "stream": "*", "when": {"is": ">", "value": 1}}
    alerts = {"rules": [rule], "actions": {"siren": {"type": "mqtt", "topic": "t"}}}
    assert [loc for loc, _ in found(mqtt=None, alerts=alerts, destinations=cloud("http://b/api"))] == [
        ("alerts", "rules"),
        ("alerts", "actions", "siren", "type"),
    ]
    assert found(alerts=alerts) == []


def test_a_rule_whose_streams_are_kept_by_its_word_has_a_name():
    rule = {"topic": "t", "bucket": "b", "stream": "s", "retention": "1d"}
    assert [loc for loc, _ in found(mqtt=None, rules=[rule])] == [("rules", 0, "retention")]
    assert found(mqtt=None, rules=[rule | {"name": "brief"}]) == []


def test_who_has_alerts_to_itself_may_not_leave_them_to_others():
    dashboard = {"d": {"type": "embedded"}}
    ((loc, what),) = found(mqtt=None, alerts={"evaluate": False}, destinations=dashboard)
    assert (loc, "nobody else" in what) == (("alerts", "evaluate"), True)

    dashboard["d"]["store"] = {"type": "postgres", "url": "postgresql://db/x"}
    assert found(mqtt=None, alerts={"evaluate": False}, destinations=dashboard) == []
