"""The options."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class FilesConfig(BaseModel):
    """Options of the file receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    paths: tuple[str, ...] = Field((), description="files and patterns, such as /var/log/nginx/*.log")
    docker: bool = Field(False, description="the logs of all containers that Docker's json-file driver writes")
    kubernetes: bool = Field(False, description="the logs of all containers of this node")
    journald: bool = Field(False, description="the systemd journal")
    source: str | None = Field(None, description="source of logs that name none; else that of the file's name")
    level: str | None = Field(None, description="level of logs that name none")
    lines: bool = Field(False, description="every line is a log: do not join those of a stack trace")
    start: Literal["beginning", "end"] = Field("beginning", description="where a file begins that is read first")
    batch: int = Field(1000, ge=1, le=50_000, description="logs that are committed together at most")
    idle: float = Field(1.0, ge=0, le=60, description="seconds after which a log is complete that a line may continue")

    @field_validator("paths")
    @classmethod
    def _absolute(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            if not path.startswith("/"):
                raise ValueError(f"{path!r}: expected an absolute path: the service may start in any directory")
        return paths
