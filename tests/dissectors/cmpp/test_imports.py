"""What importing the package loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dissectors.cmpp


@pytest.mark.parametrize("module", ["scapy.all", "scapy.layers.inet", "scapy.sendrecv", "cmppscope", "numpy"])
def test_the_package_is_light(module: str) -> None:
    """Importing the layers loads neither all of Scapy, nor TCP, nor the analyzer."""
    code = f"import sys, dissectors.cmpp; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_binding_does_not_load_all_of_scapy() -> None:
    """Binding to TCP loads the TCP layer and not all of Scapy."""
    code = "import sys, dissectors.cmpp as c; c.bind_tcp(); sys.exit('scapy.all' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_public_names() -> None:
    """Every public name is there, once, in order."""
    names = dissectors.cmpp.__all__
    assert sorted(set(names)) == sorted(names)
    assert all(hasattr(dissectors.cmpp, name) for name in names)
