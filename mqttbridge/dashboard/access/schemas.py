"""The shapes of signing in, keys and links, for their handlers and `/openapi.json`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from mqttbridge.dashboard.access.keys import MAX_LABEL_CHARS, Role
from mqttbridge.dashboard.schemas import Epoch, Model

Label = Annotated[str, StringConstraints(max_length=MAX_LABEL_CHARS, strip_whitespace=True)]
Secret = Annotated[str, Field(min_length=1, max_length=1000)]

# Half a century: what is later is a slip, or milliseconds.
_MAX_SECONDS = 50 * 366 * 86400


class SignIn(Model):
    """A key or view token."""

    token: Secret


class FirstKey(Model):
    """The code that the log gave at the first start."""

    code: Secret
    label: Label = ""


class Session(Model):
    """Who the sender of this request is here."""

    guarded: bool
    """Whether keys are asked for at all. If not, everybody on this machine is an admin."""
    role: Role | None
    """Null for nobody; a share link's bearer has none, either."""
    label: str
    """Whose key it is."""
    by_cookie: bool
    """Whether there is a session to sign out of."""
    first_start: bool
    """Whether nobody has a key yet, and the log has the address to make the first one."""
    keeps: bool
    """Whether keys and links can be made on the page; a bridge without a dashboard has no place for them."""


class NewKey(Model):
    """A key to make."""

    role: Role
    label: Label = ""


class AccessKey(Model):
    """What is known of a key."""

    id: str
    role: Role
    label: str
    configured: bool
    """Whether it stands in the configuration; such a key is revoked there."""
    created: Epoch | None
    used: Epoch | None
    """When it was last used, to some minutes; null for never."""


class AccessKeys(Model):
    """Every key: those of the configuration first, then the oldest."""

    keys: list[AccessKey]


class MadeKey(Model):
    """A new key, which is shown this once."""

    secret: str
    key: AccessKey


class NewLink(Model):
    """A share link to make."""

    label: Label = ""
    seconds: Annotated[float, Field(gt=0, le=_MAX_SECONDS)] | None = None
    """How long it is good for; null for as long as it is not revoked."""


class ShareLink(Model):
    """What is known of a share link."""

    id: str
    bucket: str
    label: str
    created: Epoch
    expires: Epoch | None
    expired: bool
    used: Epoch | None
    """When it was last opened, to some minutes; null for never."""


class ShareLinks(Model):
    """Share links, the newest first."""

    links: list[ShareLink]
    embed_origins: list[str]
    """Sites that may show a link's board in a frame."""


class MadeLink(Model):
    """A new link, which is shown this once."""

    url: str
    """The board's page on this server."""
    embed: str
    """The same without the page's head, for a frame."""
    link: ShareLink
