"""A mail by SMTP."""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

from mqttbridge.alerting.actions.base import Delivered, Failed, Refused, Result, Tidings
from mqttbridge.config.alert_actions import EmailAction, SmtpConfig
from mqttbridge.destinations.http_outcome import one_line

# What we call ourselves: asking the resolver for our own name can take half a minute where there is none.
_OWN_NAME: Final = "[127.0.0.1]"


class Email:
    """Some people's addresses at one server. A connection a mail: they are rare, and servers close idle ones.

    Args:
        config: its section.
        smtp: the server.
    """

    def __init__(self, config: EmailAction, smtp: SmtpConfig) -> None:
        self._config, self._smtp = config, smtp
        self._connection: smtplib.SMTP | None = None

    def send(self, tidings: Tidings) -> Result:
        """Hand one mail over. Its Message-ID is the same at each attempt, so that mailboxes may know it again."""
        try:
            server = self._connect()
            try:
                missed = server.send_message(self._mail(tidings))
                with suppress(OSError, smtplib.SMTPException):  # it has the mail, whatever it says now
                    server.quit()
            finally:
                server.close()
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return _verdict(code, said)
        except smtplib.SMTPAuthenticationError as error:
            return Failed(f"the server does not take username and password: {_said(error.smtp_error)}")
        except smtplib.SMTPResponseException as error:
            return _verdict(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return Failed(f"{self._smtp.host}:{self._smtp.port}: {one_line(str(error)) or type(error).__name__}")
        finally:
            self._connection = None
        return Delivered(f"not taken for {', '.join(missed)}" if missed else "")

    def close(self) -> None:
        """End a conversation that is under way; one that has not begun ends by its timeout."""
        sock = self._connection.sock if self._connection is not None else None
        if sock is not None:
            with suppress(OSError):
                # By closing it, who waits for an answer would not be woken. The plain socket's, below TLS, whose own is
                # not made for another thread.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _connect(self) -> smtplib.SMTP:
        smtp = self._smtp
        if smtp.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                smtp.host, smtp.port, _OWN_NAME, timeout=smtp.timeout, context=context
            )
        else:
            server = smtplib.SMTP(smtp.host, smtp.port, _OWN_NAME, timeout=smtp.timeout)
        self._connection = server
        try:
            if smtp.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if smtp.username is not None and smtp.password is not None:
                server.login(smtp.username, smtp.password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, tidings: Tidings) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._smtp.sender
        mail["To"] = ", ".join(self._config.to)
        mail["Subject"] = _plain(tidings.subject)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = f"<{tidings.key}@{self._smtp.sender.partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(_plain(tidings.text) + "\n\n" + _facts(tidings))
        return mail


def _facts(tidings: Tidings) -> str:
    shown = (("Rule", "name"), ("Level", "level"), ("Bucket", "bucket"), ("Stream", "stream"), ("Value", "value"))
    rows = [f"{label}: {_plain(tidings.values[name])}" for label, name in shown if tidings.values.get(name)]
    return "\n".join([*rows, f"Since: {tidings.values.get('since', '')}", f"Id: {tidings.key}", ""])


def _plain(text: str) -> str:
    """One line of what can be encoded: names come from the network."""
    kept = "".join(character if character.isprintable() else " " for character in text)
    return kept.encode("utf-8", "replace").decode()


def _verdict(code: int, said: Any) -> Result:
    words = f"{code}: {_said(said)}"
    return Refused(words) if 500 <= code < 600 else Failed(words)


def _said(said: Any) -> str:
    return one_line(said.decode(errors="replace") if isinstance(said, bytes) else str(said))
