"""A dashboard: the tiles of one bucket's page and where they stand.

The same shape whether it was arranged on the page, imported from a file or written in YAML, so there is one model.
What it says of a tile's type and options is not judged here: a document of a later version keeps what this one
does not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator
from pydantic_core import to_json

from mqttbridge.config.section import Section

COLUMNS: Final = 12
MAX_TILES: Final = 500
MAX_STREAMS: Final = 50
MAX_HIDDEN: Final = 5000
MAX_NAME: Final = 300  # of a stream, or an expression
MAX_OPTIONS_BYTES: Final = 20_000
MAX_ROW: Final = 10_000

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class ThresholdConfig(Section):
    """From a value on, a level holds: it colours the value, and lies across charts."""

    at: float = Field(allow_inf_nan=False)
    """The value."""
    level: Literal["good", "warning", "critical"] = "warning"
    """What it means."""


class BackgroundConfig(Section):
    """A picture behind the tiles."""

    image: str = Field(min_length=1, max_length=2000)
    """`upload` for the one that was uploaded for this bucket; else an address, of an origin that may be shown."""
    dim: float = Field(0.5, ge=0, le=1)
    """How far it steps back behind the tiles: 0 as it is, 1 not seen."""

    @field_validator("image")
    @classmethod
    def _address(cls, image: str) -> str:
        if image != "upload" and not image.startswith(("https://", "http://", "/")):
            raise ValueError("expected 'upload' or an address that begins with https://, http:// or /")
        return image


class TileConfig(Section):
    """One tile."""

    id: Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_-]*$")] = ""
    """What tells it from the others; made when it is missing."""
    type: Annotated[str, Field(min_length=1, max_length=40)] = "line"
    """How it shows them; see docs/dashboard.md."""
    title: str = Field("", max_length=200)
    """Its heading; default: the streams' names."""
    streams: tuple[Name, ...] = Field((), max_length=MAX_STREAMS)
    """What it shows: names of streams, or expressions such as `=[kitchen.temperature]*1.8+32`."""
    x: int | None = Field(None, ge=0, lt=COLUMNS)
    """Its first column, 0 to 11; without `x` and `y` it stands where there is room, at the end."""
    y: int | None = Field(None, ge=0, le=MAX_ROW)
    """Its first row."""
    w: int = Field(3, ge=1, le=COLUMNS)
    """Columns that it covers."""
    h: int = Field(3, ge=1, le=100)
    """Rows that it covers."""
    unit: str = Field("", max_length=32)
    """Shown behind values; default: the stream's."""
    color: str = Field("", pattern=r"^(hue-[0-5]|#[0-9A-Fa-f]{6})?$")
    """`hue-0` to `hue-5`, or `#rrggbb`; default: one for each kind of stream."""
    min: float | None = Field(None, allow_inf_nan=False)
    """Lower end of its scale; default: by the values."""
    max: float | None = Field(None, allow_inf_nan=False)
    """Upper end of its scale; default: by the values."""
    thresholds: tuple[ThresholdConfig, ...] = Field((), max_length=20)
    """From which values on a level holds."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """What the type offers beside; see docs/dashboard.md."""

    @field_validator("thresholds")
    @classmethod
    def _in_order(cls, thresholds: tuple[ThresholdConfig, ...]) -> tuple[ThresholdConfig, ...]:
        return tuple(sorted(thresholds, key=lambda one: one.at))

    @field_validator("options")
    @classmethod
    def _small(cls, options: dict[str, Any]) -> dict[str, Any]:
        if len(to_json(options)) > MAX_OPTIONS_BYTES:
            raise ValueError(f"at most {MAX_OPTIONS_BYTES} bytes")
        return options

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.x is not None and self.x + self.w > COLUMNS:
            raise ValueError(f"x and w: it would end at column {self.x + self.w} of {COLUMNS}")
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError("min must be below max")
        return self


class DashboardDocument(Section):
    """The tiles of one bucket's page."""

    title: str = Field("", max_length=200)
    """Shown instead of the bucket's name."""
    auto: bool = True
    """Whether streams that no tile shows get one of their own, at the end."""
    columns: Literal[12] = COLUMNS
    """Columns of the grid."""
    background: BackgroundConfig | None = None
    """A picture behind the tiles."""
    hidden: tuple[Name, ...] = Field((), max_length=MAX_HIDDEN)
    """Streams that get no tile by themselves."""
    tiles: tuple[TileConfig, ...] = Field((), max_length=MAX_TILES)
    """In any order; where they stand is theirs to say."""

    @field_validator("tiles")
    @classmethod
    def _told_apart(cls, tiles: tuple[TileConfig, ...]) -> tuple[TileConfig, ...]:
        ids = [tile.id for tile in tiles if tile.id]
        if len(set(ids)) < len(ids):
            raise ValueError("two tiles have the same id")
        return tiles

    def named(self) -> DashboardDocument:
        """The same, with an id for each tile that has none."""
        taken = {tile.id for tile in self.tiles}
        free = (name for number in range(1, 2 * MAX_TILES + 1) if (name := f"t{number}") not in taken)
        tiles = tuple(tile if tile.id else tile.model_copy(update={"id": next(free)}) for tile in self.tiles)
        return self.model_copy(update={"tiles": tiles})


class DashboardConfig(DashboardDocument):
    """A dashboard as code: read-only on the page."""

    file: str | None = None
    """A file that the page exported, instead of the other keys."""

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.file is not None and self.model_fields_set - {"file"}:
            raise ValueError("file stands alone: what it holds is the whole dashboard")
        return self
