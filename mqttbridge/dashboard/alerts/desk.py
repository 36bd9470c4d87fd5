"""What the HTTP side asks of alerts."""

from __future__ import annotations

from typing import Any, Protocol

from mqttbridge.config.alerts import PageRule


class NoSuchAlert(Exception):  # noqa: N818  # an outcome that is shown
    """There is no rule, silence or action of this name."""


class NotAcceptable(Exception):  # noqa: N818  # likewise
    """It makes no sense here, or is not allowed; the text says why."""


class AlertsDesk(Protocol):
    """From any thread. Answers are JSON values. StoreError when nothing can be read or written now.

    `secrets` is whether who asks may see the addresses of the page's webhooks, which may have tokens in them.
    """

    def overview(self, *, secrets: bool) -> dict[str, Any]:
        """Every rule with its states, the actions' names, the silences."""
        ...

    def states(self, bucket: str) -> dict[str, Any]:
        """How a bucket's streams stand."""
        ...

    def history(self, limit: int, rule: str | None) -> dict[str, Any]:
        """Firings, the newest first."""
        ...

    def create(self, rule: PageRule) -> dict[str, Any]:
        """NotAcceptable."""
        ...

    def change(self, name: str, rule: PageRule, expected: int | None) -> dict[str, Any]:
        """NoSuchAlert, NotAcceptable; Conflict unless it replaces the version that is expected."""
        ...

    def remove(self, name: str, expected: int | None) -> None:
        """NoSuchAlert, NotAcceptable; Conflict unless it is the version that is expected."""
        ...

    def forget_bucket(self, bucket: str) -> int:
        """A bucket is gone: so are the page's rules that watch it alone. How many those were."""
        ...

    def silence(
        self, rule: str, bucket: str | None, stream: str | None, seconds: float, comment: str
    ) -> dict[str, Any]:
        """NoSuchAlert."""
        ...

    def unsilence(self, silence: str) -> None:
        """NoSuchAlert."""
        ...

    def test(self, rule: PageRule) -> dict[str, Any]:
        """Tell a rule's actions that this is a test; may take as long as they do."""
        ...

    def preview(self, rule: PageRule) -> dict[str, Any]:
        """What a rule would have done on the last day."""
        ...
