"""Rules about the window of requests that wait for a response (CMPP 2.0 §6.1, §7.4.3.2)."""

from __future__ import annotations

from cmppscope.rules.model import Facts, Hits, Severity, rule


@rule("window-exceeded", Severity.WARN, "§6.1", "up to {a} requests wait for a response at once; W is {b}")
def window_exceeded(facts: Facts) -> Hits:
    """No more than W requests wait for a response in one direction."""
    return facts.exceeded


@rule("flow-control", Severity.NOTE, "§7.4.3.2", "{command} with Result 8 to a request with which {a} of {b} waited")
def flow_control(facts: Facts) -> Hits:
    """Flow control (Result 8) answers requests beyond W only."""
    return facts.throttled


RULES = (window_exceeded, flow_control)
