"""Buckets and streams: asked of the database each time, since other bridges change them too."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from mqttbridge.dashboard.store.model import MICROSECONDS, BucketInfo, Kind, Latest, StreamInfo, StreamKey
from mqttbridge.dashboard.store.postgres.connections import Db
from mqttbridge.dashboard.store.postgres.values import KINDS, raised, read, sought, written
from mqttbridge.events import Value


@dataclass(frozen=True, slots=True)
class Series:
    """One stream that has a value: the newest, and its time in microseconds. `rule` makes it, as far as told."""

    id: int
    stream: str
    unit: str
    rule: str
    kind: Kind
    newest: int
    value: Value

    @property
    def info(self) -> StreamInfo:
        return StreamInfo(self.stream, self.kind, self.unit, Latest(self.value, self.newest / MICROSECONDS))


class Known(NamedTuple):
    """What a writer knows of a series."""

    id: int
    unit: str
    rule: str


_SERIES: Final = (
    "SELECT bucket, id, stream, unit, rule, newest, kind, number, whole, said FROM series WHERE newest NOTNULL"
)


def buckets(db: Db) -> list[BucketInfo]:
    """Every bucket, that with the newest point first."""
    rows = db.execute(
        "SELECT key, name, tags, count(s.newest), max(s.newest) FROM buckets LEFT JOIN series s ON s.bucket = key"
        " GROUP BY key ORDER BY max(s.newest) DESC NULLS LAST, key"
    ).fetchall()
    return [
        BucketInfo(
            read(key),
            read(key if name is None else name),
            streams,
            None if newest is None else newest / MICROSECONDS,
            () if tags is None else tuple(from_json(tags)),
        )
        for key, name, tags, streams, newest in rows
    ]


def bucket_name(db: Db, bucket: str) -> str | None:
    """The name a bucket is shown by; None when there is no such bucket."""
    row = db.execute("SELECT coalesce(name, key) FROM buckets WHERE key = %s", (sought(bucket),)).fetchone()
    return None if row is None else read(row[0])


def streams(db: Db, bucket: str, names: Collection[str] = ()) -> list[Series]:
    """A bucket's series that have a value, by name: all, or those that are named."""
    given: list[Any] = [sought(bucket)]
    question = f"{_SERIES} AND bucket = %s"
    if names:
        question += " AND stream = ANY(%s)"
        given.append([sought(name) for name in names])
    found = [_series(row) for row in db.execute(question.encode(), given).fetchall()]
    return sorted(found, key=lambda one: one.stream)


def latest(db: Db) -> dict[str, list[StreamInfo]]:
    """The streams of every bucket that has one, each bucket's by name."""
    found: dict[str, list[StreamInfo]] = {}
    for row in db.execute(f"{_SERIES} ORDER BY bucket, stream".encode()).fetchall():
        found.setdefault(read(row[0]), []).append(_series(row).info)
    return found


def meet(
    db: Db, keys: Sequence[StreamKey], units: Mapping[StreamKey, str], rules: Mapping[StreamKey, str]
) -> dict[StreamKey, Known]:
    """What is known of each series; those that are new are made, by their rules, and units said anew are kept."""
    found = _find(db, keys)
    missing = [key for key in keys if key not in found]
    if missing:
        there = {"buckets": [written(key[0]) for key in missing], "streams": [written(key[1]) for key in missing]}
        db.execute(
            "INSERT INTO buckets (key) SELECT DISTINCT unnest(%(buckets)s::text[]) ON CONFLICT DO NOTHING", there
        )
        there["rules"] = [written(rules.get(key, "")) for key in missing]
        db.execute(
            "INSERT INTO series (bucket, stream, rule)"
            " SELECT * FROM unnest(%(buckets)s::text[], %(streams)s::text[], %(rules)s::text[])",
            there,
        )
        found |= _find(db, missing)
    said = {key: unit for key, unit in units.items() if key in found and found[key].unit != unit}
    if said:
        ids = [found[key].id for key in said]
        db.execute(
            "UPDATE series SET unit = u.unit FROM unnest(%s::integer[], %s::text[]) AS u(id, unit)"
            " WHERE series.id = u.id",
            (ids, [written(unit) for unit in said.values()]),
        )
        found |= {key: found[key]._replace(unit=unit) for key, unit in said.items()}
    return found


def made_by(db: Db, rules: Mapping[StreamKey, str]) -> None:
    """Know which rules make series, of those that there are."""
    db.execute(
        'UPDATE series s SET rule = r.rule FROM unnest(%s::text[] COLLATE "C", %s::text[] COLLATE "C", %s::text[])'
        " AS r(bucket, stream, rule) WHERE s.bucket = r.bucket AND s.stream = r.stream AND s.rule <> r.rule",
        (
            [sought(bucket) for bucket, _ in rules],
            [sought(stream) for _, stream in rules],
            list(map(written, rules.values())),
        ),
    )


def kinds(db: Db, ids: Collection[int]) -> dict[int, Kind]:
    """The kinds of series, by number."""
    rows = db.execute("SELECT id, kind FROM series WHERE id = ANY(%s) AND kind NOTNULL", (list(ids),)).fetchall()
    return {id_: KINDS[kind] for id_, kind in rows}


def create_bucket(db: Db, key: str, name: str | None, tags: Sequence[str]) -> bool:
    """Whether the bucket was new to whoever asks; the first name and the first tags win."""
    known = db.execute("SELECT name, tags FROM buckets WHERE key = %s", (sought(key),)).fetchone()
    if known is not None and name is None and not tags:
        return False
    # A bucket that events made has neither name nor tags: they often come before the request that creates it.
    names = known is None or (name is not None and known[0] is None)
    tagged = known is None or (known[0] is None and known[1] is None)
    if not (names or tagged):
        return False
    db.execute(
        "INSERT INTO buckets VALUES (%(key)s, %(name)s, %(tags)s) ON CONFLICT (key) DO UPDATE SET"
        " name = coalesce(buckets.name, excluded.name), tags = coalesce(buckets.tags, excluded.tags)",
        {
            "key": written(key),
            "name": written(name) if names and name is not None else None,
            "tags": to_json(tags).decode() if tagged else None,
        },
    )
    return True


def forget(db: Db, ids: Sequence[int], bucket: str | None = None) -> None:
    """Forget series, and a bucket with all that is said of it. Their points go by and by: see retention.py."""
    db.execute("DELETE FROM series WHERE id = ANY(%s)", (list(ids),))
    db.execute("INSERT INTO gone SELECT unnest(%s::integer[]) ON CONFLICT DO NOTHING", (list(ids),))
    if bucket is not None:
        db.execute("DELETE FROM buckets WHERE key = %s", (sought(bucket),))


def ids_of(db: Db, bucket: str, stream: str | None = None) -> list[int]:
    """The numbers of a bucket's series, or of one."""
    rows = db.execute(
        "SELECT id FROM series WHERE bucket = %(bucket)s AND (%(stream)s::text IS NULL OR stream = %(stream)s)",
        {"bucket": sought(bucket), "stream": None if stream is None else sought(stream)},
    ).fetchall()
    return [id_ for (id_,) in rows]


def _find(db: Db, keys: Sequence[StreamKey]) -> dict[StreamKey, Known]:
    rows = db.execute(
        'SELECT n, id, unit, rule FROM unnest(%s::text[] COLLATE "C", %s::text[] COLLATE "C") WITH ORDINALITY'
        " AS k(bucket, stream, n) JOIN series s ON s.bucket = k.bucket AND s.stream = k.stream",
        ([sought(bucket) for bucket, _ in keys], [sought(stream) for _, stream in keys]),
    ).fetchall()
    return {keys[n - 1]: Known(id_, read(unit), read(rule)) for n, id_, unit, rule in rows}


def _series(row: tuple[Any, ...]) -> Series:
    _, id_, stream, unit, rule, newest, kind, number, whole, said = row
    return Series(id_, read(stream), read(unit), read(rule), KINDS[kind], newest, raised(kind, number, whole, said))
