"""Where nothing of this project is installed, as in AWX and with ansible-pull."""

from __future__ import annotations

import subprocess
import sys
import sysconfig

import pytest

from tests.support.loading import TOP

LOAD = """
import importlib.util, sys
sys.path.append({site!r})
assert importlib.util.find_spec("upcall_text") is None, "it is installed all the same"
spec = importlib.util.spec_from_file_location("plugin", {file!r})
module = importlib.util.module_from_spec(spec)
sys.modules["plugin"] = module
spec.loader.exec_module(module)
"""
PLUGINS = sorted(
    str(file.relative_to(TOP))
    for kind in ("action", "callback", "filter")
    for file in (TOP / "plugins" / kind).glob("*.py")
)


@pytest.mark.parametrize("file", PLUGINS)
def test_a_plugin_is_loaded_all_the_same(file: str) -> None:
    text = LOAD.format(site=sysconfig.get_path("purelib"), file=str(TOP / file))
    # Without the module site nobody reads the .pth file that an editable install is.
    subprocess.run([sys.executable, "-I", "-S", "-c", text], check=True, timeout=60)
