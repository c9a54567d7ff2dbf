"""The manifest in deploy/ has the form that Kubernetes expects, by the schemas of its releases."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.clients.receiving import PYTHON, ROOT

pytestmark = pytest.mark.clients

MANIFEST = ROOT / "deploy/kubernetes.yml"


def validate(path: Path, release: str) -> subprocess.CompletedProcess[str]:
    """Ask the validator, strictly: a property that Kubernetes does not know is an error."""
    if not PYTHON.exists():
        pytest.skip("build/clients is not there: `make test-clients` installs the clients")
    command = [str(PYTHON), "-m", "kubernetes_validate", "--strict", "--kubernetes-version", release, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("release", ["1.29.0", "1.37.0"])
def test_kubernetes_takes_the_manifest(release):
    done = validate(MANIFEST, release)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("passed for resource") == 2


def test_a_wrong_manifest_is_noticed(tmp_path):
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(MANIFEST.read_text(encoding="utf-8").replace("replicas: 1", "replica: 1"))
    assert validate(wrong, "1.37.0").returncode != 0
