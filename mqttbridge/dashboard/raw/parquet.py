"""Rows as a Parquet file, a group of rows at a time. Needs pyarrow, the extra `parquet`: import this module lazily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
from pyarrow import parquet

from mqttbridge.dashboard.store import Row

# Rows of one group: some megabytes while they wait, and still read well.
GROUP_ROWS: Final = 50_000

# A value is in the column of its kind: a column of mixed types would be one of texts to whoever reads it.
SCHEMA: Final = pa.schema(
    [
        pa.field("time", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("stream", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("number", pa.float64()),
        pa.field("boolean", pa.bool_()),
        pa.field("text", pa.string()),
        pa.field("unit", pa.dictionary(pa.int32(), pa.string())),
    ]
)


class _Sink:
    """A file that keeps what is written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Parquet:
    """`time`, `stream`, `number`, `boolean`, `text`, `unit`; of the three in the middle one is set."""

    media_type = "application/vnd.apache.parquet"
    suffix = "parquet"

    def __init__(self, units: Mapping[str, str]) -> None:
        self._units = units
        self._sink = _Sink()
        self._writer = parquet.ParquetWriter(pa.PythonFile(self._sink, mode="w"), SCHEMA, compression="zstd")
        self._waiting: list[Row] = []

    def begin(self) -> bytes:
        return self._sink.take()

    def rows(self, rows: Sequence[Row]) -> bytes:
        self._waiting += rows
        if len(self._waiting) >= GROUP_ROWS:
            self._write()
        return self._sink.take()

    def end(self) -> bytes:
        if self._waiting:
            self._write()
        self._writer.close()
        return self._sink.take()

    def _write(self) -> None:
        rows, self._waiting = self._waiting, []
        values = [value for _, _, value in rows]
        columns = [
            [time for time, _, _ in rows],
            [stream for _, stream, _ in rows],
            [None if isinstance(one, bool | str) else float(one) for one in values],
            [one if isinstance(one, bool) else None for one in values],
            [one if isinstance(one, str) else None for one in values],
            [self._units.get(stream) or None for _, stream, _ in rows],
        ]
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), row_group_size=len(rows))
