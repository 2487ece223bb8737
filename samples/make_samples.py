"""Write the sample captures, the same octets on every run: `make samples`.

    python samples/make_samples.py [FOLDER]

Each sample is a story in `stories/`, told with the peers and conversations of `making/`. All numbers
are invented, the addresses are those kept for documentation, the secret is `cmpp-secret`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from samples.stories import faults, gateways, links, others, sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from samples.making.capture import Capture


class Sample(NamedTuple):
    """A file, what makes it, what it tells, and whether its octets are whole PDUs from end to end."""

    name: str
    tell: Callable[[], Capture]
    story: str
    whole: bool = True

    def octets(self) -> bytes:
        """Build the file; its name says in which format."""
        capture = self.tell()
        return capture.pcapng() if self.name.endswith(".pcapng") else capture.pcap()


SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample(
            "login-and-report.pcap",
            sessions.login_and_report,
            "An SP logs in, sends one SMS, gets its status report, tests the link and is tested, logs out.",
        ),
        Sample(
            "login-refused.pcap",
            sessions.login_refused,
            "An SP logs in with a wrong secret, is refused, and tries again with the same one.",
        ),
        Sample(
            "long-sms-ucs2.pcap",
            sessions.long_sms_ucs2,
            "A Chinese text in three parts, each with its own Msg_Id and report; the second is not delivered.",
        ),
        Sample("gbk.pcap", sessions.gbk, "Texts in GBK both ways: a code, a handset's question, the answer."),
        Sample(
            "pipelined-sps.pcap",
            sessions.pipelined_sps,
            "Two SPs send windows of 16 and 17 SUBMITs in full segments; the 17th gets Result 8.",
        ),
        Sample(
            "hourly-drop.pcap",
            links.hourly_drop,
            "An SP logs in, sends one SMS and is silent; an hour later the gateway closes; three times over.",
        ),
        Sample(
            "slow-gateway.pcap",
            links.slow_gateway,
            "An SP sends whole windows; the gateway takes more than a second for each, the SP 4 ms for its DELIVER.",
        ),
        Sample(
            "rate-limited.pcap",
            links.rate_limited,
            "An SP sends 24 SMS in a second, eight at a time; the gateway takes 20 and gives the rest Result 8.",
        ),
        Sample(
            "loss-and-resync.pcap",
            faults.loss_and_resync,
            "The capture begins inside a PDU, misses a segment, holds one twice and two out of order.",
            whole=False,
        ),
        Sample(
            "gateway-forwarding.pcap",
            gateways.gateway_forwarding,
            "Two gateways pass on a message, its report, a reply, and the report of the reply.",
        ),
        Sample(
            "gns-routing.pcap",
            gateways.gns_routing,
            "A gateway asks its name server for routes and changes them, and is told of changes.",
        ),
        Sample(
            "unanswered-and-late.pcap",
            faults.unanswered_and_late,
            "A gateway answers late, never, twice, unasked and with the wrong command; an SP uses a number twice.",
        ),
        Sample(
            "broken-framing.pcap",
            faults.broken_framing,
            "PDUs with a wrong length or Command_Id, good ones behind them, and an RST inside the last.",
            whole=False,
        ),
        Sample(
            "version-3.pcap",
            others.version_3,
            "A session of CMPP 3.0 on port 8855.",
        ),
        Sample(
            "not-cmpp.pcap",
            others.not_cmpp,
            "SMPP on port 2775, HTTP on 8080, and TLS on 7890: no CMPP at all.",
            whole=False,
        ),
        Sample(
            "every-pdu.pcapng",
            gateways.every_pdu,
            "All thirty PDUs; a VLAN and Linux cooked capture, IPv4 and IPv6, nanoseconds.",
        ),
        Sample(
            "hostile-text.pcap",
            faults.hostile_text,
            "Texts and names that try to do something to whatever shows them.",
        ),
    )
}


def main(arguments: list[str]) -> None:
    """Write every sample into the folder given, or next to this program."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent
    for sample in SAMPLES.values():
        octets = sample.octets()
        (folder / sample.name).write_bytes(octets)
        print(f"{sample.name:26} {len(octets):6} octets  {sample.story}")


if __name__ == "__main__":
    main(sys.argv[1:])
