"""How commands, versions and times are written, in every report, list and screen."""

from __future__ import annotations

import datetime as dt

from cmppscope.tables import LAYOUT_21, LAYOUT_30
from dissectors.cmpp.enums import COMMANDS_20, COMMANDS_LATER

COMMANDS = COMMANDS_20 | COMMANDS_LATER

CHINA = dt.timezone(dt.timedelta(hours=8))
"""The zone that times are shown in unless told."""

LATER_LAYOUTS = {LAYOUT_21: "2.1", LAYOUT_30: "3.0"}

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def command_name(command: int) -> str:
    """Name a Command_Id; an unknown one is its number, `0x0000000a`."""
    return COMMANDS.get(command) or f"0x{command:08x}"


def iso_time(time_ns: int, zone: dt.tzinfo = CHINA) -> str:
    """Write a time with its nanoseconds and the zone's offset: `2002-09-22T10:15:30.000000001+08:00`."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    text = (_EPOCH + dt.timedelta(seconds=seconds)).astimezone(zone).isoformat()
    return f"{text[:19]}.{nanoseconds:09d}{text[19:]}"
