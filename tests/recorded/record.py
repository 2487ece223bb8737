"""Record the captures of tests/data/rules, each with what its speakers did.

Run by hand, as root, from the root folder of the project:

    python -m tests.recorded.record [RULE…]

Each scene plays in a network namespace of its own (`unshare`), whose loopback sends every segment as a packet of its
own, with tcpdump beside it. Only processes started here are ended, and all of them are.
"""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.recorded import forms, logins, timers
from tests.recorded.scene import Scene
from tests.recorded.speakers import PORT, Stage

FOLDER = Path(__file__).parents[1] / "data" / "rules"
SCENES = {scene.rule: scene for scene in (*logins.SCENES, *forms.SCENES, *timers.SCENES)}
LIMIT_SECONDS = 30
_INSIDE = "--inside"
_FILTER = f"tcp port {PORT}"
_BUFFER_KIB = 64 << 10
_SETTLE_SECONDS = 0.3
"""What the capturing program gets to write the last packets."""


def main(*words: str) -> None:
    """Record some scenes, or all."""
    if words[:1] == (_INSIDE,):
        record(SCENES[words[1]])
        return
    for rule in words or SCENES:
        command = ["unshare", "--net", sys.executable, "-m", "tests.recorded.record", _INSIDE, rule]
        subprocess.run(command, check=True, timeout=LIMIT_SECONDS)


def record(scene: Scene) -> None:
    """Play a scene beside a capturing program; write both down."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if scene.segment:
        subprocess.run(["ip", "link", "set", "lo", "gso_max_segs", "1"], check=True)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "capture"
        stage = Stage(scene.address, scene.segment)
        capturing = _start(path)
        try:
            scene.play(stage)
            time.sleep(_SETTLE_SECONDS)
        finally:
            stage.strike()
            capturing.send_signal(signal.SIGINT)
            said = capturing.communicate(timeout=LIMIT_SECONDS)[1]
        if "\n0 packets dropped" not in said:
            raise RuntimeError(f"{scene.rule}: {said}")
        if scene.ending == ".pcapng":
            subprocess.run(["editcap", "-F", "pcapng", path, path.with_suffix(scene.ending)], check=True)
            path = path.with_suffix(scene.ending)
        octets = path.read_bytes()
    file = FOLDER / f"{scene.rule}{scene.ending}"
    file.write_bytes(gzip.compress(octets, mtime=0) if scene.ending.endswith(".gz") else octets)
    (FOLDER / f"{scene.rule}.truth.json").write_text(written(truth(scene, stage)), encoding="utf-8")


def _start(path: Path) -> subprocess.Popen[str]:
    """Start a program that captures, and wait until it does."""
    command = ["tcpdump", "--immediate-mode", "-U", "-Z", "root", "--time-stamp-precision=nano", "-i", "lo"]
    command += ["-B", str(_BUFFER_KIB), "-w", str(path), _FILTER]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert started.stderr
    for line in started.stderr:
        if "listening on" in line:
            break
    time.sleep(_SETTLE_SECONDS)
    return started


def truth(scene: Scene, stage: Stage) -> dict[str, object]:
    """Tell what the speakers did, and what findings are to be about it."""
    told = {scene.rule: (scene.severity, scene.story)} | dict(scene.also)
    did = {rule: act["who"] for act in stage.acts for rule in act.get("found", ())}
    blamed = did | ({} if scene.blamed is None else {scene.rule: scene.blamed})
    return {
        "capture": f"{scene.rule}{scene.ending}",
        "story": scene.story,
        "findings": [
            {"rule": rule, "severity": severity, "blamed": blamed[rule], "why": why}
            for rule, (severity, why) in told.items()
        ],
        "config": dict(scene.config),
        "secret": scene.secret,
        "connections": stage.connections,
        "acts": stage.acts,
    }


def written(told: dict[str, object]) -> str:
    """Write JSON with a line for each act."""
    head = {key: value for key, value in told.items() if key != "acts"}
    acts = told["acts"]
    assert isinstance(acts, list)
    lines = ",\n".join("  " + json.dumps(act, ensure_ascii=False) for act in acts)
    return json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}") + f',\n "acts": [\n{lines}\n ]\n}}\n'


if __name__ == "__main__":
    main(*sys.argv[1:])
