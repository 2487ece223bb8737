"""Print the frames of a capture, one a line: time, length on the wire, link type, octets.

python rows.py FILE
python rows.py INTERFACE FILTER         until SIGTERM; says `listening on` when it does
"""

from __future__ import annotations

import signal
import sys

from cmppscope.capture import Capture
from cmppscope.capture.live import LiveCapture


def listen(interface: str, bpf: str) -> LiveCapture:
    """Begin to listen."""
    made = LiveCapture(interface, bpf)
    made.open()
    signal.signal(signal.SIGTERM, lambda *_: made.stop())
    sys.stderr.write("listening on\n")
    sys.stderr.flush()
    return made


def main(*words: str) -> None:
    """Print all rows."""
    capture = listen(*words) if len(words) == 2 else Capture(words)
    for batch in capture:
        for at in range(len(batch)):
            octets = batch.octets[batch.offset[at] :][: batch.caplen[at]].tobytes()
            sys.stdout.write(f"{batch.time_ns[at]} {batch.wirelen[at]} {batch.linktype[at]} {octets.hex()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
