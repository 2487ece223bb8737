"""What codes mean in plain words, and what to do about them: of responses, and of status reports.

The meaning of a code is `rules.results`' or, of a Stat, `dissectors.cmpp.enums`'; the advice stands here alone. Advice
is for an engineer of the SP unless it says otherwise; where the parties agreed on a code of their own, only they know.
"""

from __future__ import annotations

from typing import NamedTuple

from cmppscope.report.safe import printable
from cmppscope.rules.results import LEAST_VENDOR_CODE, STANDARD, Results
from dissectors.cmpp.enums import CANCEL, CONNECT, DELIVER, FWD, RESPONSE, SUBMIT, stat_meaning


class Explanation(NamedTuple):
    """A code in words."""

    meaning: str
    """What it means, empty where nobody says."""
    advice: str
    """What to do, empty where nothing is to be done."""


_CONNECT = {
    1: "Look at the length and the fields of CONNECT: 39 octets, Version 0x20.",
    2: "Ask the gateway whether this address may log in under this Source_Addr.",
    3: "Compare the shared secret, and the digits of Timestamp as they were hashed: ten, with a leading zero.",
    4: "Log in with the Version that the response offers.",
}
_MESSAGE = {
    1: "Compare the PDU with its layout: Total_Length, DestUsr_tl and Msg_Length must agree.",
    2: "The receiver does not serve this command on this connection; look at the kind of account.",
    3: "Count Sequence_Id up for each request; do not use one again before its response came.",
    4: "Compare Total_Length with what DestUsr_tl and Msg_Length give.",
    5: "Look at FeeType and FeeCode: they must be what the contract of this service says.",
    6: "Shorten the text, or send it in parts with a header: 140 octets, 160 with Msg_Fmt 0.",
    7: "Look at Service_Id and Src_Id: the gateway knows them for this SP only as they were registered.",
    8: "Send more slowly, keep fewer than 16 requests open, and send this one again later.",
}
_SUBMIT = _MESSAGE | {
    9: "The number that pays belongs to another gateway: look at Fee_terminal_Id and Fee_UserType.",
    10: "Look at Src_Id: it must begin with the service code that was given to this SP.",
    11: "Look at Msg_src: it must be the SP_Id of the login.",
    12: "Look at Fee_terminal_Id: a number, and only with Fee_UserType 3.",
    13: "Look at Dest_terminal_Id: digits of a mobile number.",
}
_ADVICE: dict[int, dict[int, str]] = {
    CONNECT: _CONNECT,
    SUBMIT: _SUBMIT,
    DELIVER: _MESSAGE | {8: "The SP cannot keep up; the gateway sends again later."},
    CANCEL: {1: "The message was sent already, or the Msg_Id is not that of the SUBMIT_RESP."},
    FWD: _MESSAGE | {9: "The SP does not belong to this gateway: renew the routes."},
}
"""Command_Id of a request to what to do about a code in its response."""

_OTHER = "The specification gives this code no meaning: ask the other party."

_STATS = {
    "EXPIRED": "The handset was off or out of reach until ValId_Time; a longer validity helps only if it comes back.",
    "DELETED": "The message was taken away, by CANCEL or at the message centre; ask the gateway if nobody here did.",
    "UNDELIV": "The number does not exist, is barred, or its memory is full; do not send again at once.",
    "ACCEPTD": "No final state: the gateway should not have handed it on. Wait for another report.",
    "UNKNOWN": "The message centre lost track of it; it may have arrived. Send again only where that is harmless.",
    "REJECTD": "A gateway on the way refused it or got no answer; look at the text, the number and the account.",
}
_FAMILIES = {
    "M": "The message centre is behind it: ask the operator with the code and the time.",
    "C": "The prepaid platform is behind it: the account of the one who pays may be empty or barred.",
    "D": "The service platform is behind it: look at what was registered for this service and this number.",
    "S": "The SP itself is behind it: look for DELIVERs that it refused or did not answer.",
    "I": "A gateway on the way is behind it: ask the operator with the code and the time.",
}


def explain(command: int, code: int, results: Results = STANDARD) -> Explanation:
    """Explain the Status, Result or Success_Id in the response to a request (or of a response itself).

    `results` holds the codes that the parties agreed on; there is no advice for those.
    """
    request = command & ~RESPONSE
    meaning = results.of(request, code)
    agreed = meaning != STANDARD.of(request, code)
    if not code or agreed or not meaning:
        return Explanation(meaning, "")
    advice = _ADVICE.get(request, {}).get(code, "")
    return Explanation(meaning, advice or (_OTHER if code >= LEAST_VENDOR_CODE else ""))


def explain_stat(stat: str) -> Explanation:
    """Explain a Stat of a status report (CMPP 2.0 §7.4.5.1; codes with a colon are later ones)."""
    meaning = stat_meaning(stat)
    if meaning is None:
        return Explanation(f"not a state of the specification: {printable(stat)}", _OTHER)
    return Explanation(meaning, _STATS.get(stat) or _FAMILIES.get(stat[:1] if ":" in stat else "", ""))
