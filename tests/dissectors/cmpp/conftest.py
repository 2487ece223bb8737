"""The golden vectors, one at a time (`vector`) or by name (`golden`)."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from scapy.config import conf

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class Vector:
    """One PDU of golden.toml."""

    id: str
    title: str
    edition: str
    octets: bytes
    fields: dict[str, Any]
    report: dict[str, Any] | None = None
    text: str | None = None
    text_starts: str | None = None
    udh: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The fields behind the header."""
        return {name: value for name, value in self.fields.items() if name not in HEADER}


HEADER = ("Total_Length", "Command_Id", "Sequence_Id")


def _load() -> dict[str, Vector]:
    with (Path(__file__).parent / "golden.toml").open("rb") as file:
        rows = tomllib.load(file)["pdu"]
    return {row["id"]: Vector(**(row | {"octets": bytes.fromhex(row["octets"])})) for row in rows}


VECTORS = _load()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests that ask for `vector` (2.0) or `later_vector` (3.0) all of them, one by one."""
    for argument, edition in (("vector", "2.0"), ("later_vector", "3.0")):
        if argument in metafunc.fixturenames:
            chosen = [vector for vector in VECTORS.values() if vector.edition == edition]
            metafunc.parametrize(argument, chosen, ids=[vector.id for vector in chosen])


@pytest.fixture(autouse=True, scope="session")
def _loud() -> Iterator[None]:
    """Let Scapy raise what a layer raises, where it would quietly put raw octets."""
    conf.debug_dissector = True
    yield
    conf.debug_dissector = False


@pytest.fixture(scope="session")
def golden() -> dict[str, Vector]:
    """All golden vectors by their id."""
    return VECTORS
