"""What the codes in responses mean: as the specification has them, and as the parties agreed.

The only owner of the second kind. A Result is told in findings, reports, lists and screens; all ask `Results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dissectors.cmpp import enums
from dissectors.cmpp.enums import RESPONSE

MEANINGS: dict[int, enums.Meanings] = {
    0x01: enums.CONNECT_STATUS,
    0x04: enums.RESULT,
    0x05: enums.RESULT,
    0x07: enums.SUCCESS_ID,
    0x09: enums.FWD_RESULT,
    **dict.fromkeys((0x10, 0x11, 0x12), enums.ROUTE_RESULT),
    **dict.fromkeys((0x13, 0x14), enums.UPDATE_RESULT),
    **dict.fromkeys((0x15, 0x16), enums.PUSH_RESULT),
}
"""Command_Id of a request to what the Status, Result or Success_Id of its response means."""

CODE_FIELDS = ("status", "result", "success_id")
"""The fields of responses that hold such a code."""

LEAST_VENDOR_CODE = 9
"""From here on the parties may say what a Result means; what lies below has its meaning in the specification."""


@dataclass(frozen=True, slots=True)
class Results:
    """The meanings of codes; those that the parties agreed on stand over the specification's."""

    of_command: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    """Command_Id of a request to the meanings of codes in its response."""
    general: Mapping[int, str] = field(default_factory=dict)
    """Meanings of codes from LEAST_VENDOR_CODE on in every response that has none of its own."""

    def of(self, command: int, code: int) -> str:
        """Say what the Status, Result or Success_Id of a request or its response means; empty where it has none."""
        request = command & ~RESPONSE
        if request not in MEANINGS:
            return ""
        own = self.of_command.get(request, {}).get(code)
        if own is None and code >= LEAST_VENDOR_CODE and not self._named(request, code):
            own = self.general.get(code)
        return MEANINGS[request].of(code) if own is None else own

    def _named(self, request: int, code: int) -> bool:
        """Tell whether CMPP 2.0 gives a code a meaning of its own; the names of 2.1 are no more than a hint."""
        meaning = MEANINGS[request].get(code)
        return meaning is not None and not meaning.startswith(MEANINGS[request].other)


STANDARD = Results()
"""The specification's meanings alone."""
