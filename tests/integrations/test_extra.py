"""Who does not use Ray pays nothing for it, and who lacks it is told what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest


def python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_without_ray_it_is_said_what_to_install() -> None:
    # None stands for a module that is not there.
    done = python("import sys; sys.modules['ray'] = None; import scalebox.ray")
    assert done.returncode != 0
    assert "ImportError: scalebox.ray needs the package ray: pip install 'scalebox[ray]'" in (
        done.stderr
    )


def test_the_rest_of_the_package_does_not_load_it() -> None:
    done = python(
        "import sys; sys.modules['ray'] = None\n"
        "import scalebox, scalebox.cli, scalebox.integrations.spread\n"
        "for name in scalebox.__all__: getattr(scalebox, name)\n"
    )
    assert done.returncode == 0, done.stderr


def test_the_command_line_does_not_load_mcp() -> None:
    done = python("import sys; sys.modules['mcp'] = None; import scalebox.cli")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("file", "package"), [("skyrl", "skyrl_gym"), ("verifiers_tasks", "verifiers")]
)
def test_what_is_derived_from_a_trainers_classes_says_what_it_needs(
    file: str, package: str
) -> None:
    done = python(
        f"import sys; sys.modules[{package!r}] = None; import scalebox.integrations.{file}"
    )
    assert done.returncode != 0
    assert f"scalebox.integrations.{file} needs the package {package.replace('_', '-')}" in (
        done.stderr
    )


def test_the_other_trainers_files_need_no_trainer() -> None:
    names = ["verl", "trl", "ms_swift", "openrlhf", "slime", "rllm", "verifiers"]
    packages = ["verl", "trl", "swift", "openrlhf", "slime", "rllm", "verifiers", "torch"]
    done = python(
        "import importlib, sys\n"
        f"for package in {packages}: sys.modules[package] = None\n"
        f"for name in {names}: importlib.import_module(f'scalebox.integrations.{{name}}')\n"
    )
    assert done.returncode == 0, done.stderr
