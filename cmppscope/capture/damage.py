"""What is wrong with a file, kept as one line of bounded length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

PLACES_TOLD = 3
"""Places named in the line; the others are counted."""

PLACES_MAX = 10_000
"""Places behind which reading goes on; a file with more of them is given up."""


@dataclass(slots=True)
class Damage:
    """The places of one file where something is wrong, in their order."""

    told: list[str] = field(default_factory=list)
    places: int = 0
    skipped: int = 0
    """Octets passed over at places that are not told."""
    left_out: int = 0
    """Records that were left out because they contradict themselves."""

    def note(self, text: str, skipped: int | None = None) -> None:
        """Note a place, and how many octets were passed over before reading could go on."""
        self.places += 1
        if self.places <= PLACES_TOLD:
            self.told.append(text if skipped is None else f"{text}, {skipped} octets skipped")
        else:
            self.skipped += skipped or 0

    def leave_out(self, count: int, first: Callable[[], str]) -> None:
        """Note records that were left out; of all in the file only the `first` is told."""
        if not self.left_out:
            self.note(first())
        self.left_out += count

    @property
    def full(self) -> bool:
        """Tell whether there were so many places that going on makes no sense."""
        return self.places >= PLACES_MAX

    @property
    def line(self) -> str | None:
        """Say it in one line, None where nothing is wrong."""
        if not self.places:
            return None
        more = self.places - len(self.told)
        octets = f" ({self.skipped} octets skipped)" if self.skipped else ""
        others = [f"and {more} more place{'s' * (more > 1)}{octets}"] if more else []
        others += [f"{self.left_out} blocks left out"] if self.left_out > 1 else []
        return "; ".join(self.told + others)
