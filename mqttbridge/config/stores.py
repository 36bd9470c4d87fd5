"""Where the dashboard keeps its history and what people make on its page."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from mqttbridge.config.section import Section


class Timescale(StrEnum):
    AUTO = "auto"
    CREATE = "create"
    OFF = "off"


class SqliteStoreConfig(Section):
    """Files in `data_dir`."""

    type: Literal["sqlite"] = "sqlite"
    """Files of our own, which need no server."""


class PostgresStoreConfig(Section):
    """A PostgreSQL database, which several dashboards may share; see docs/postgres.md."""

    type: Literal["postgres"]
    """PostgreSQL 13 or later, with TimescaleDB or without. Needs the extra `postgres`."""
    url: SecretStr
    """Where it is: postgresql://user@host:5432/database, with what libpq knows after a `?`, such as sslmode."""
    password: SecretStr | None = None
    """When it is not in the url; better `${NAME}` or `!file path` than the word itself."""
    schema_: str = Field("mqttbridge", alias="schema", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    """The schema of the tables, made when it is missing. It must hold nothing else."""
    timescale: Timescale = Timescale.AUTO
    """When tables are made: `auto` uses TimescaleDB if it is installed, `create` installs it, `off` does neither."""

    @field_validator("url")
    @classmethod
    def _postgres(cls, url: SecretStr) -> SecretStr:
        # Nothing of it is repeated: it may hold the password.
        if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("expected postgresql://user@host/database")
        return url


StoreConfig = Annotated[SqliteStoreConfig | PostgresStoreConfig, Field(discriminator="type")]
