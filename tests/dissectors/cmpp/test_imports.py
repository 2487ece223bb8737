"""What importing the package loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dissectors.cmpp


@pytest.mark.parametrize("module", ["scapy", "cmppscope", "numpy"])
def test_the_package_is_light(module: str) -> None:
    """Importing the package loads neither Scapy nor the analyzer."""
    code = f"import sys, dissectors.cmpp; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_binding_does_not_load_all_of_scapy() -> None:
    """Binding to TCP loads the TCP layer and not all of Scapy."""
    code = "import sys, dissectors.cmpp as c; c.bind_tcp(); sys.exit('scapy.all' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_layers_alone_need_scapy() -> None:
    """Authenticators, texts, Msg_Ids and enumerations load without Scapy."""
    names = "decode_text, format_msg_id, authenticator_source, layout, enums, udh, times"
    code = f"import sys; from dissectors.cmpp import {names}; sys.exit('scapy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_any_layer_brings_all() -> None:
    """A header knows the layers of all bodies, whichever name was asked for."""
    code = "from dissectors.cmpp import CMPP; print(CMPP(bytes.fromhex('0000000c8000000900000001')).payload.name)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "CMPP_FWD_RESP\n"


def test_other_names_are_none() -> None:
    """A name that the package does not have is an AttributeError that names it."""
    with pytest.raises(AttributeError, match=r"^module 'dissectors\.cmpp' has no attribute 'CMPPNothing'$"):
        _ = dissectors.cmpp.CMPPNothing  # type: ignore[attr-defined]


def test_public_names() -> None:
    """Every public name is there, once, in order."""
    names = dissectors.cmpp.__all__
    assert sorted(set(names)) == sorted(names)
    assert all(hasattr(dissectors.cmpp, name) for name in names)
