"""`openai`: the class of responses that NeMo-Gym sends, whose `output_text` is no field."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from bench.clients import Client, Served

CLIENT = Client("openai")


def check_a_response_as_it_is_sent(served: Served) -> None:
    """A `Response` dumped as JSON: the code in its messages is judged, and it comes back."""
    from openai.types.responses import Response

    parts = ["```python\nprint(sum(map(int, ", "input().split())))\n```"]
    response = Response.model_validate(
        {
            "id": "r",
            "created_at": 0,
            "model": "m",
            "object": "response",
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "output": [
                {"id": "t", "type": "reasoning", "summary": []},
                {
                    "id": "m",
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "content": [
                        {"type": "output_text", "text": part, "annotations": []} for part in parts
                    ],
                },
            ],
        }
    )
    tests = {"inputs": ["1 2", "3 4"], "outputs": ["3", "7"], "fn_name": None}
    sent = {
        "responses_create_params": {"input": "Add."},
        "response": response.model_dump(mode="json"),
        "verifier_metadata": {"unit_tests": tests, "difficulty": "easy"},
    }
    asked = urllib.request.Request(
        f"{served.url}/nemo_gym/verify",
        json.dumps(sent).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=120) as answer:
        said: dict[str, Any] = json.load(answer)
    assert said["reward"] == 1.0, said
    assert said["extracted_model_output"] == response.output_text, said
    assert Response.model_validate(said["response"]) == response
