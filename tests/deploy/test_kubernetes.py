"""The manifests fit Kubernetes' own schemas, and ask for what privileges a level needs, no more.

What only a cluster can tell (whether an engine lets a pod write its cgroup, say) is not in here.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import msgspec
import pytest
import yaml

from scalebox.config import Config
from tests.daemons import PATIENCE_S
from tests.deploy.pod import command, possible

ROOT = Path(__file__).parent.parent.parent
MANIFESTS = ROOT / "deploy" / "kubernetes"
LEVELS = ("minimal", "user", "full")
#: The oldest with all that is in them (pods in user namespaces, on unless switched off), and the
#: newest whose schemas are at hand.
VERSIONS = ("1.33", kubernetes_validate.latest_version())

Document = dict[str, Any]


def documents(name: str) -> list[Document]:
    return list(yaml.safe_load_all((MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8")))


def of_kind(name: str, kind: str) -> Document:
    (found,) = (document for document in documents(name) if document["kind"] == kind)
    return found


def pod(level: str) -> Document:
    found: Document = of_kind(level, "DaemonSet")["spec"]["template"]["spec"]
    return found


def container(level: str) -> Document:
    (found,) = pod(level)["containers"]
    return dict(found)


#: The capabilities of level `full`.
ADDED: list[str] = container("full")["securityContext"]["capabilities"]["add"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [*LEVELS, "common"])
def test_manifests_fit_the_schemas(name: str, version: str) -> None:
    for document in documents(name):
        kubernetes_validate.validate(document, version, strict=True)


def misspell(spec: Document) -> None:
    spec["containers"][0]["securityContext"]["readOnlyRootFileSystem"] = True


def miscount(spec: Document) -> None:
    spec["containers"][0]["readinessProbe"]["periodSeconds"] = "often"


def leave_out(spec: Document) -> None:
    del spec["containers"][0]["name"]


@pytest.mark.parametrize("damage", [misspell, miscount, leave_out])
def test_a_broken_manifest_is_noticed(damage: Callable[[Document], None]) -> None:
    broken = copy.deepcopy(of_kind("minimal", "DaemonSet"))
    damage(broken["spec"]["template"]["spec"])
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[0], strict=True)


def test_minimal_keeps_to_the_restricted_standard() -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/, all of "restricted"."""
    labels = of_kind("minimal", "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    spec, security = pod("minimal"), container("minimal")["securityContext"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert all("hostPort" not in port for port in container("minimal")["ports"])
    kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "secret"}
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security.keys() == {
        "allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities",
    }  # fmt: skip
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("level", LEVELS)
def test_no_level_has_more_of_the_host_than_it_says(level: str) -> None:
    spec, security = pod(level), container(level)["securityContext"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]
    assert "privileged" not in security
    assert security["readOnlyRootFilesystem"]
    assert security["capabilities"]["drop"] == ["ALL"]
    assert ("add" in security["capabilities"]) == (level == "full")
    assert spec["automountServiceAccountToken"] is False
    if level != "minimal":
        assert spec["hostUsers"] is False


@pytest.mark.parametrize("level", LEVELS)
def test_the_parts_fit_together(level: str) -> None:
    spec, workload = pod(level), of_kind(level, "DaemonSet")
    selected = workload["spec"]["selector"]["matchLabels"]
    assert workload["spec"]["template"]["metadata"]["labels"] == selected
    common = {(d["kind"], d["metadata"]["name"]): d for d in documents("common")}
    assert all(
        d["metadata"]["namespace"] == workload["metadata"]["namespace"] for d in common.values()
    )
    ports = {port["name"]: port["containerPort"] for port in container(level)["ports"]}
    for kind, name in common:
        if kind == "Service":
            service = common[kind, name]["spec"]
            assert service["selector"] == selected
            assert all(port["port"] == ports[port["targetPort"]] for port in service["ports"])
    policy = common["NetworkPolicy", "scaleboxd"]["spec"]
    assert policy["podSelector"]["matchLabels"] == selected
    assert spec["serviceAccountName"] == common["ServiceAccount", "scaleboxd"]["metadata"]["name"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert {mount["name"] for mount in container(level)["volumeMounts"]} == volumes.keys()
    assert volumes["config"]["secret"]["secretName"] == "scaleboxd"


def configuration(token: str) -> Document:
    """The secret's scalebox.toml, with a token."""
    text = of_kind("common", "Secret")["stringData"]["scalebox.toml"]
    read = tomllib.loads(text)
    assert read["server"]["tokens"] == {"trainer": ""}
    read["server"]["tokens"]["trainer"] = token
    return read


def test_the_configuration_is_one_once_the_secrets_are_filled_in() -> None:
    secret = of_kind("common", "Secret")["stringData"]
    with pytest.raises(msgspec.ValidationError, match="tokens"):
        msgspec.convert(configuration(""), Config)
    config = msgspec.convert(configuration("f" * 64), Config)
    common = {(d["kind"], d["metadata"]["name"]): d for d in documents("common")}
    ports = {port["name"]: port["containerPort"] for port in container("full")["ports"]}
    assert config.server.tcp == f"0.0.0.0:{ports['api']}"
    assert config.cluster.listen == f"0.0.0.0:{ports['peers']}"
    headless = common["Service", config.cluster.dns_name.split(".")[0]]
    assert headless["spec"]["clusterIP"] == "None"
    mounted = {m["name"]: m["mountPath"] for m in container("full")["volumeMounts"]}
    assert config.cluster.key_file == f"{mounted['config']}/key"
    assert secret["key"] == ""


def test_a_pod_outlives_the_daemons_draining() -> None:
    drain_s = msgspec.convert(configuration("f" * 64), Config).server.drain_timeout_s
    assert all(pod(level)["terminationGracePeriodSeconds"] > drain_s + 10 for level in LEVELS)


# What a daemon in such a pod judges: two programs that are right, and one that never ends.
PROBE = """
import sys, msgspec, scalebox
level, accelerator = sys.argv[1:]
with scalebox.local(sandbox={"isolation": level, "slots": 1, "accelerator": accelerator}) as client:
    submissions = [
        scalebox.Submission(
            language="python",
            source=source,
            tests=scalebox.StdioTests(cases=[scalebox.StdioCase(input="1", answer="2")]),
            limits=scalebox.Limits(cpu_time_s=0.2, wall_time_s=20.0),
        )
        for source in (
            "print(int(input()) + 1)",
            "import subprocess; print(2 - subprocess.call('true'))",
            "while True: pass",
        )
    ]
    reports = client.judge_all(submissions)
    # What only the kernel's own limit ends, which counts whole seconds, is ended late.
    end = "in time" if reports[-1].cpu_time_s < 1.0 else "late"
    print(client.status().isolation, *(report.verdict for report in reports), end)
"""
WORKS = "accepted accepted time_limit_exceeded in time"


def in_a_pod(level: str, without: str = "") -> str:
    """What the daemon of a level has to say, with a capability less than its manifest adds."""
    security = container(level)["securityContext"]
    added = [name for name in security["capabilities"].get("add", []) if name != without]
    uid = pod(level)["securityContext"]["runAsUser"]
    # Compiling the launcher would be most of what a start costs.
    words = [sys.executable, "-c", PROBE, level, "off"]
    with tempfile.TemporaryDirectory(prefix="scalebox-test-") as home:
        os.chmod(home, 0o777)
        done = subprocess.run(
            command(uid, added, words),
            cwd=home,
            env={
                "PATH": os.environ["PATH"],
                "HOME": home,
                "TMPDIR": home,
                "PYTHONPATH": str(ROOT),
                "LANG": "C.UTF-8",
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    return done.stdout + done.stderr


# Such a namespace takes root to make: an ordinary user's run has the tests above.
PODS = LEVELS if possible() else ()


@pytest.mark.parametrize("level", PODS)
def test_a_level_stands_with_the_privileges_of_its_manifest(level: str) -> None:
    said = in_a_pod(level)
    assert f"{level} {WORKS}" in said, said


@pytest.mark.parametrize(
    "capability",
    # Without SETPCAP all is as before, but for one lock less.
    [name for name in ADDED if name != "SETPCAP"] if PODS else (),
)
def test_full_needs_every_capability_that_its_manifest_adds(capability: str) -> None:
    said = in_a_pod("full", without=capability)
    assert f"full {WORKS}" not in said, said
