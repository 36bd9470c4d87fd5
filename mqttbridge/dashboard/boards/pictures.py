"""Pictures behind the tiles: one a bucket, told by its bytes rather than by what its sender says it is."""

from __future__ import annotations

import base64
from typing import Final

from mqttbridge.dashboard.records import Records

KIND: Final = "background"

# SVG is not among them: it can hold script.
_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def type_of(content: bytes) -> str | None:
    """The media type of a picture that may be shown; None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((type_ for beginning, type_ in _BEGINNINGS if content.startswith(beginning)), None)


class Pictures:
    """Uploaded pictures by bucket. From any thread; StoreError when they cannot be read or written now."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def put(self, bucket: str, content: bytes) -> int:
        """Keep a picture, instead of the one before: earlier ones would fill the disk. Its bytes are counted."""
        self._records.put_all(KIND, {bucket: {"base64": base64.b64encode(content).decode()}})
        return len(content)

    def get(self, bucket: str) -> bytes | None:
        """The picture; None without one."""
        record = self._records.get(KIND, bucket)
        return None if record is None else base64.b64decode(record.body["base64"])

    def forget(self, bucket: str) -> bool:
        """Keep no picture for the bucket; whether there was one."""
        return self._records.delete(KIND, bucket)
