"""What the tests of sampling share: tasks, and an endpoint that is asked without long waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scalebox.suite.config import ModelConfig, SamplingConfig
from scalebox.suite.sampling.endpoint import Endpoint
from scalebox.suite.tasks import Task

#: The environment variable that the tests' keys are in.
VARIABLE = "SCALEBOX_TEST_ENDPOINT_KEY"

Asking = Callable[..., Endpoint]


def task(name: str = "Own/0", **fields: Any) -> Task:
    given = {"prompt": f"def {name.replace('/', '_')}():\n", "stop": ("\ndef", "\nclass")}
    return Task(id=name, **{**given, **fields})


@pytest.fixture
def asking() -> Asking:
    """An endpoint by its address; fields are those of `[model]` or of `[sampling]`."""

    def make(base_url: str, **fields: Any) -> Endpoint:
        of_model = {name: fields.pop(name) for name in list(fields) if name in MODEL_FIELDS}
        model = {"name": "m", "endpoint": base_url, "api_key_env": VARIABLE, **of_model}
        sampling = {"retries": 2, "timeout_s": 20.0, **fields}
        return Endpoint(
            ModelConfig(**model),
            SamplingConfig(**sampling),
            first_delay_s=0.01,
            max_delay_s=0.05,
        )

    return make


MODEL_FIELDS = frozenset(ModelConfig.__struct_fields__)
