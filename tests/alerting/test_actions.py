"""Mail and apprise as they are: real servers on loopback, TLS, and the libraries themselves, not what stands in."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from mqttbridge.alerting.actions import Action, Delivered, Failed, Refused, Tidings, create
from mqttbridge.alerting.firings import About
from mqttbridge.config.alerts import AlertsConfig
from mqttbridge.errors import ConfigError
from tests.support.receivers import mail_server, webhook_server
from tests.support.tls import Certificates, issue

VALUES = {"name": "Hot", "level": "warning", "bucket": "b", "stream": "x.t", "value": "31", "since": "2026-01-01"}
TIDINGS = Tidings("k-firing", About.FIRING, "[WARNING] Hot", "b x.t is 31, above 30", VALUES, {})


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def context(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The mail server's; we trust its authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server_cert, certificates.server_key)
    return context


def mail_by(port: int, *to: str, **smtp: Any) -> Action:
    server = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "bridge@example.org", **smtp}
    action = {"type": "email", "to": to or ("me@example.org",)}
    config = AlertsConfig.model_validate({"actions": {"mail": action}, "smtp": server})
    return create(config.actions["mail"], config.smtp, None)


def apprise_by(url: str) -> Action:
    config = AlertsConfig.model_validate({"actions": {"phone": {"type": "apprise", "url": url}}})
    return create(config.actions["phone"], None, None)


# -- mail


def test_a_mail_goes_by_starttls_with_a_login(context):
    asked: list[LoginPassword] = []

    def is_ours(*call: Any) -> AuthResult:
        asked.append(call[-1])
        return AuthResult(success=call[-1].password == b"secret", handled=False)

    with mail_server(tls_context=context, require_starttls=True, auth_required=True, authenticator=is_ours) as box:
        right = {"security": "starttls", "username": "bridge", "password": "secret"}
        assert mail_by(box.port, **right).send(TIDINGS) == Delivered()
        wrong = mail_by(box.port, **{**right, "password": "guess"}).send(TIDINGS)

    assert {(one.login, one.password) for one in asked} == {(b"bridge", b"secret"), (b"bridge", b"guess")}
    assert isinstance(wrong, Failed)  # tried again: whoever runs the server may mend it
    assert "does not take username and password" in wrong.detail
    assert "guess" not in wrong.detail
    assert [mail["Subject"] for mail in box.mails] == ["[WARNING] Hot"]


def test_a_mail_goes_by_tls_from_the_first_byte(context):
    with mail_server(ssl_context=context) as box:
        assert mail_by(box.port, security="tls").send(TIDINGS) == Delivered()
    assert len(box.mails) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_no_mail_and_no_password(
    context, certificates, monkeypatch, security
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.other_ca))
    asked: list[Any] = []
    tls = {"ssl_context": context} if security == "tls" else {"tls_context": context}
    with mail_server(**tls, auth_require_tls=False, authenticator=lambda *call: asked.append(call)) as box:
        result = mail_by(box.port, security=security, username="bridge", password="secret").send(TIDINGS)

    assert isinstance(result, Failed)
    assert "certificate verify failed" in result.detail
    assert box.mails == asked == []


def test_a_server_without_starttls_gets_no_mail_in_the_clear():
    with mail_server() as box:
        result = mail_by(box.port, security="starttls").send(TIDINGS)
    assert isinstance(result, Failed)
    assert "STARTTLS" in result.detail
    assert box.mails == []


def test_a_recipient_that_is_refused_is_named_and_the_others_get_theirs():
    with mail_server() as box:
        box.refuses = {"gone@example.org": "550 5.1.1 no such user"}
        some = mail_by(box.port, "me@example.org", "gone@example.org").send(TIDINGS)
        none = mail_by(box.port, "gone@example.org").send(TIDINGS)
        box.refuses = {"gone@example.org": "450 4.2.1 come later"}
        later = mail_by(box.port, "gone@example.org").send(TIDINGS)

    assert some == Delivered("not taken for gone@example.org")
    assert none == Refused("550: 5.1.1 no such user")
    assert later == Failed("450: 4.2.1 come later")
    assert len(box.mails) == 1


def test_what_a_server_says_after_it_took_the_mail_does_not_make_it_sent_again():
    with mail_server() as box:
        box.goodbye = "451 something broke on the way out"
        assert mail_by(box.port).send(TIDINGS) == Delivered()
    assert len(box.mails) == 1


def test_a_server_that_hangs_is_given_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        result = mail_by(port, timeout=0.05).send(TIDINGS)
    assert isinstance(result, Failed)
    assert result.detail.endswith("timed out")


def test_a_server_that_stops_answering_does_not_hold_up_the_end():
    with socket.create_server(("127.0.0.1", 0)) as slow, ThreadPoolExecutor(1) as sender:
        action = mail_by(slow.getsockname()[1], timeout="60s")
        sending = sender.submit(action.send, TIDINGS)
        ours, _ = slow.accept()
        with ours:
            ours.sendall(b"220 hello\r\n")
            assert ours.recv(100).lower().startswith(b"ehlo")
            action.close()
            assert isinstance(sending.result(20), Failed)


# -- apprise

# It asks for a module of the standard library that Python 3.13 has no more.
with_apprise = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@with_apprise
def test_apprise_tells_a_service_and_again_after_it_did_not_take_it():
    with webhook_server() as hook:
        phone = apprise_by(hook.url.replace("http:", "json:"))
        hook.answers = [500]
        assert phone.send(TIDINGS) == Failed("apprise: the service did not take it")
        assert phone.send(replace(TIDINGS, text="<b> & 'b' *x*\nis 31")) == Delivered()

    told = [(body["title"], body["message"]) for _, body in hook.requests]
    assert told == [("[WARNING] Hot", "b x.t is 31, above 30"), ("[WARNING] Hot", "<b> & 'b' *x*\nis 31")]


@with_apprise
def test_apprise_fails_where_nobody_listens(caplog):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        result = apprise_by(f"json://user:secret@127.0.0.1:{nobody.getsockname()[1]}/").send(TIDINGS)
    assert isinstance(result, Failed)
    assert "secret" not in result.detail + caplog.text


@with_apprise
@pytest.mark.parametrize("url", ["nonsense://token", "json://one.example/token, json://two.example/token"])
def test_apprise_takes_one_address_that_it_knows_and_does_not_repeat_it(url):
    with pytest.raises(ConfigError) as told:
        apprise_by(url)
    assert "one address" in str(told.value)
    assert "token" not in str(told.value)


def test_without_apprise_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"pip install 'mqttbridge\[apprise\]'"):
        apprise_by("json://127.0.0.1/")
