"""The thresholds of rules as users set them: a key of the configuration file for each, with its unit."""

from __future__ import annotations

from typing import NamedTuple

from cmppscope.rules.model import Limits

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


class Key(NamedTuple):
    """A key of the table `limits`."""

    field: str
    """Field of `Limits`."""
    unit: int
    """What one of the key's units is in the field's: nanoseconds, or 1."""
    word: str
    """The unit as it is written."""
    meaning: str
    signed: bool = False
    """Any number from -14 to 14, as zones have; else it is greater than 0."""

    def value(self, limits: Limits) -> float:
        """Give the value in the key's unit."""
        value: float = getattr(limits, self.field) / self.unit
        return value

    def written(self, limits: Limits) -> str:
        """Write the value with its unit."""
        return f"{self.value(limits):g} {self.word}"


LIMITS: dict[str, Key] = {
    "c": Key("c_ns", SECOND, "seconds", "C: a link may be idle for so long before it is tested (CMPP 2.0 §6.1)."),
    "window": Key(
        "window", 1, "requests", "W: requests that may wait for a response in one direction (CMPP 2.0 §6.1)."
    ),
    "skew": Key("skew_ns", SECOND, "seconds", "How far the Timestamp of a CONNECT may be from the time of capture."),
    "msgid_skew": Key("msgid_skew_ns", SECOND, "seconds", "The same for the time in a Msg_Id."),
    "report_hours": Key("report_ns", HOUR, "hours", "A status report comes within so long (CMPP 2.0 §7.4.5.1 note 3)."),
    "zone_hours": Key("zone_ns", HOUR, "hours", "What the peers' clocks are ahead of UTC.", signed=True),
}
"""Keys of the table `limits`, in the order of the documents."""
