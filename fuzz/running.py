"""Running cmppscope inside this process, by the entry point that a user runs."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from typing import Any
from unittest import mock

from cmppscope.__main__ import main


@dataclass(frozen=True)
class Ended:
    """What a run left behind."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """What it wrote to standard output."""
        return self.out.decode("utf-8")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The same, one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def report(self) -> dict[str, Any]:
        """The same, one JSON object."""
        made: dict[str, Any] = json.loads(self.out)
        return made


def inside(*arguments: object, stdin: bytes = b"") -> Ended:
    """Run the entry point in this process."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    argv = ["cmppscope", *map(str, arguments)]
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        mock.patch.object(sys, "stdout", out),
        mock.patch.object(sys, "stderr", err),
    ):
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        out.flush()
    return Ended(status, out.buffer.getvalue(), err.getvalue())
