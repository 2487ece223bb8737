"""Write docs/screenshots/*.svg: the screens of the TUI on samples, as they are now.

python docs/screenshots.py
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from cmppscope.capture import Capture
from cmppscope.tui.app import CmppscopeApp

ROOT = Path(__file__).parents[1]
SIZE = (120, 36)
REST_SECONDS = 0.4

SCREENS = {
    "sessions": ("login-refused.pcap", ()),
    "pdus": ("gbk.pcap", ("2", "down", "down", "enter", *("down",) * 25)),
    "transactions": ("unanswered-and-late.pcap", ("3", "u")),
    "findings": ("broken-framing.pcap", ("4", "down", "enter")),
}
"""Name of the picture: the sample, and the keys that lead to what it shows."""


async def shoot(name: str) -> Path:
    """Write one picture. Samples hold invented numbers, so that nothing need be masked."""
    sample, keys = SCREENS[name]
    app = CmppscopeApp(Capture([ROOT / "samples" / sample]), name=sample, redact=False)
    async with app.run_test(size=SIZE) as pilot:
        while not app.done:
            await pilot.pause(0.05)
        await pilot.press(*keys)
        await pilot.pause(REST_SECONDS)
        path = ROOT / "docs" / "screenshots" / f"{name}.svg"
        path.parent.mkdir(exist_ok=True)
        path.write_text(app.export_screenshot(title=f"cmppscope {sample}"), encoding="utf-8")
    return path


def main() -> None:
    """Write all pictures."""
    for name in SCREENS:
        print(asyncio.run(shoot(name)).relative_to(ROOT))


if __name__ == "__main__":
    main()
