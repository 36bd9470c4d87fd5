"""Models as users write them, with everything that users' code does."""

import enum
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field, field_serializer, field_validator


class Mode(enum.Enum):
    HEAT = "heat"
    COOL = "cool"


class Level(enum.IntEnum):
    LOW = 1


class Position(BaseModel):
    lat: float = Field(json_schema_extra={"unit": "deg"})
    lon: float


class Rich(BaseModel):
    at: datetime
    mode: Mode
    level: Level
    price: Decimal
    lasted: timedelta
    device: UUID
    position: Position | None = None
    track: list[Position] = []
    counts: dict[int, int] = {}
    power: Annotated[float, Field(json_schema_extra={"unit": "W"})] = 1.5

    @computed_field
    @property
    def double(self) -> float:
        return self.power * 2


class Tree(BaseModel):
    value: int = Field(json_schema_extra={"unit": "m"})
    child: "Tree | None" = None


class Only(BaseModel):
    value: float


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    at: datetime


class Bare(RootModel[float]):
    pass


class Loose(BaseModel):
    value: Any


class BadValidator(BaseModel):
    value: int

    @field_validator("value")
    @classmethod
    def _broken(cls, value: int) -> int:
        raise LookupError("no such thing\nand more")


class Picky(BaseModel):
    value: int

    @field_validator("value")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("Must be even")
        return value


class BadSerializer(BaseModel):
    value: int

    @field_serializer("value")
    def _broken(self, value: int) -> int:
        raise RuntimeError


class Unstorable(BaseModel):
    value: set[int]


class Surrogate(BaseModel):
    value: int

    @field_serializer("value")
    def _lone(self, value: int) -> str:
        return "\ud800"


class Endless(BaseModel):
    value: int

    @field_validator("value")
    @classmethod
    def _deeper(cls, value: int) -> int:
        return cls._deeper(value)


class NotAModel:
    made = datetime.now(tz=UTC)
