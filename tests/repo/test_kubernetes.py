"""The manifest in deploy/ agrees with the image and the settings; its form is checked in tests/clients."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from log_aggregator.config.settings import Settings
from tests.repo.test_image import ROOT, environment, stages, values


@pytest.fixture
def documents() -> dict[str, Any]:
    """The documents of the manifest by kind."""
    text = (ROOT / "deploy/kubernetes.yml").read_text(encoding="utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_it_runs_the_image_as_the_dockerfile_means_it(documents):
    image = stages()[1]
    pod = documents["StatefulSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert [str(pod["securityContext"]["runAsUser"])] == values(image, "USER")
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsUser"], "else /data belongs to root"
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [str(port["containerPort"]) for port in container["ports"]] == values(image, "EXPOSE")
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    (claim,) = documents["StatefulSet"]["spec"]["volumeClaimTemplates"]
    assert mounts[environment(image)["DATA_DIR"]] == claim["metadata"]["name"]
    assert mounts["/tmp"] in {volume["name"] for volume in pod["volumes"]}
    (check,) = values(image, "HEALTHCHECK")
    assert all(f'"{word}"' in check for word in container["readinessProbe"]["exec"]["command"])
    assert container["image"] == f"log-aggregator:{version()}"


def test_its_settings_are_settings_and_it_has_time_to_drain(documents):
    pod = documents["StatefulSet"]["spec"]["template"]["spec"]
    given = {one["name"].lower(): one["value"] for one in pod["containers"][0]["env"]}
    assert given.keys() <= Settings.model_fields.keys()
    settings = Settings.model_validate(given)
    assert pod["terminationGracePeriodSeconds"] > settings.shutdown_timeout + 5
    storage = documents["StatefulSet"]["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
    assert int(storage.removesuffix("Gi")) * 2**30 > 2 * settings.journal_max_bytes


def test_the_service_finds_the_pod(documents):
    service, stateful = documents["Service"]["spec"], documents["StatefulSet"]["spec"]
    assert service["selector"] == stateful["selector"]["matchLabels"] == stateful["template"]["metadata"]["labels"]
    assert stateful["serviceName"] == documents["Service"]["metadata"]["name"]
    (port,) = service["ports"]
    assert port["targetPort"] in {one["name"] for one in stateful["template"]["spec"]["containers"][0]["ports"]}


def version() -> str:
    text = (ROOT / "core/pyproject.toml").read_text(encoding="utf-8")
    return next(line.split('"')[1] for line in text.splitlines() if line.startswith("version = "))
