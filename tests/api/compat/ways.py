"""What the clients of compatible protocols send with a program, and what they make of the answer.

One function a protocol and way of testing: an attack in, a share of the full reward out, as the
client that it names has it.
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.hostile.rewards import LIMIT_S, Attack

#: Longer than anything takes, on a machine that does much else.
_PATIENCE_S = 300.0
_JUDGE0 = {"python": 71, "c": 50, "cpp": 54}
_PISTON = {"python": "python", "c": "c", "cpp": "c++"}
_CODEFORCES = {"python": "cf_python3", "cpp": "cf_c++17"}


def ask(url: str, body: Any) -> Any:
    """POST as JSON, and the answer's JSON."""
    asked = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=_PATIENCE_S) as answer:
        return json.load(answer)


def fenced(attack: Attack) -> str:
    """It as a model answers."""
    return f"```{attack.language}\n{attack.source}```\n"


def _share(passed: list[Any]) -> float:
    return sum(map(bool, passed)) / len(passed)


def _lines(call: dict[str, Any]) -> str:
    """Arguments as LiveCodeBench has them: JSON, one a line."""
    return "\n".join(map(json.dumps, call["args"]))


def _pairs(attack: Attack) -> dict[str, Any]:
    """Tests as PRIME, NeMo-Gym and others have them."""
    if attack.way == "stdio":
        return {"inputs": [""], "outputs": [attack.answer]}
    return {
        "inputs": [_lines(call) for call in attack.calls],
        "outputs": [json.dumps(call["expected"]) for call in attack.calls],
        "fn_name": attack.function,
    }


def _asserts(attack: Attack) -> dict[str, Any]:
    """Tests as `POST /v1/judge` has them."""
    tests: dict[str, Any] = {"type": "assert", "cases": [{"program": attack.tests}]}
    return {**tests, "entry_point": attack.entry_point} if attack.entry_point else tests


def sandboxfusion(url: str, attack: Attack) -> float:
    """verl: ended well, and wrote what is expected but for the last line feeds
    (volcengine/verl:verl/utils/reward_score/sandbox_fusion/utils.py)."""
    body = {"code": attack.source, "language": attack.language, "run_timeout": LIMIT_S}
    said = ask(f"{url}/run_code", body)
    if said["status"] != "Success":
        return 0.0
    return float(said["run_result"]["stdout"].rstrip("\n") == attack.answer.rstrip("\n"))


def common_evaluate(url: str, attack: Attack) -> float:
    """ScaleBox's own verl integration: the share of tests, all of them run
    (icip-cas/ScaleBox:integrations/verl/scalebox.py)."""
    tests: dict[str, Any] = {"type": "stdin_stdout", "input": ["\n"], "output": [attack.answer]}
    if attack.way == "call":
        tests = {
            "type": "function_call",
            "fn_name": attack.function,
            "input": [call["args"] for call in attack.calls],
            "output": [[call["expected"]] for call in attack.calls],
        }
    elif attack.way != "stdio":
        tests = {"type": "assert", "test": attack.tests}
        if attack.entry_point:
            tests["entry_point"] = attack.entry_point
    config = {
        "language": attack.language,
        "run_timeout": LIMIT_S,
        "provided_data": {"test_cases": tests},
        "extra": {"run_all_cases": True},
    }
    said = ask(f"{url}/common_evaluate_batch", {"completion": fenced(attack), "config": config})
    return _share([test["passed"] for test in said["tests"]])


def code_judge(url: str, attack: Attack) -> float:
    """rStar: `success` of each result (microsoft/rStar:rstar2_agent/tools/code_judge_utils.py)."""
    wanted = {"type": attack.language, "solution": attack.source, "input": ""}
    body = {"type": "batch", "submissions": [{**wanted, "expected_output": attack.answer}]}
    return _share([one["success"] for one in ask(f"{url}/judge/batch", body)["results"]])


def open_instruct(url: str, attack: Attack) -> float:
    """open-instruct: the share of tests (open_instruct/ground_truth_utils.py, CodeVerifier)."""
    path = "/test_program"
    tests: list[Any] = [attack.tests]
    if attack.way == "stdio":
        path, tests = "/test_program_stdio", [{"input": "", "output": attack.answer}]
    elif attack.way == "check":
        tests = [f"{attack.tests}\ncheck({attack.entry_point})\n"]
    body = {"program": attack.source, "tests": tests, "max_execution_time": LIMIT_S}
    return _share(ask(f"{url}{path}", body)["results"])


def piston(url: str, attack: Attack) -> float:
    """Ended well and wrote what is expected, as who runs programs by Piston compares."""
    body = {
        "language": _PISTON[attack.language],
        "version": "*",
        "files": [{"content": attack.source}],
        "run_timeout": 1000 * LIMIT_S,
    }
    run = ask(f"{url}/execute", body)["run"]
    return float(run["code"] == 0 and run["stdout"].split() == attack.answer.split())


def codeforces(url: str, attack: Attack) -> float:
    """open-r1: 1 on standard output (src/open_r1/utils/competitive_programming/cf_scoring.py)."""
    files = {
        "main.py" if attack.language == "python" else "main.cpp": attack.source,
        "input.txt": "\n",
        "correct_output.txt": attack.answer,
        "grader_config": f"TIME_LIMIT={LIMIT_S}\nMEMORY_LIMIT=256\nINPUT_MODE=stdio\n",
    }
    body = {
        "language": _CODEFORCES[attack.language],
        "version": "*",
        "files": [{"name": name, "content": content} for name, content in files.items()],
        "run_timeout": 1000 * LIMIT_S,
    }
    run = ask(f"{url}/execute", body)["run"]
    return float(run["code"] == 0 and run["stdout"].strip() == "1")


def judge0(url: str, attack: Attack) -> float:
    """ms-swift: nothing but `Accepted` (examples/train/grpo/plugin/plugin.py)."""
    body = {
        "source_code": attack.source,
        "language_id": _JUDGE0[attack.language],
        "stdin": "",
        "expected_output": attack.answer,
        "cpu_time_limit": LIMIT_S,
    }
    said = ask(f"{url}/submissions/?wait=true", body)
    return float(said["status"]["description"] == "Accepted")


def _label(attack: Attack) -> dict[str, Any]:
    limits = {"cpu_time_s": LIMIT_S}
    if attack.way in ("assert", "check"):
        return {"tests": _asserts(attack), "limits": limits}
    return {**_pairs(attack), "language": attack.language, "limits": limits}


def openrlhf(url: str, attack: Attack) -> float:
    """OpenRLHF: `rewards` (openrlhf/utils/remote_rm_utils.py)."""
    body = {
        "query": [f"Solve it.{fenced(attack)}"],
        "prompts": ["Solve it."],
        "labels": [json.dumps(_label(attack))],
    }
    [reward] = ask(f"{url}?kind=fraction", body)["rewards"]
    return float(reward)


def slime(url: str, attack: Attack) -> float:
    """slime: a bare number (slime/rollout/rm_hub/__init__.py)."""
    body = {"prompt": "Solve it.", "response": fenced(attack), "label": _label(attack)}
    return float(ask(f"{url}?kind=fraction", body))


def nemo_gym(url: str, attack: Attack) -> float:
    """NeMo-Gym: `reward` (resources_servers/code_gen/app.py)."""
    text = {"type": "output_text", "text": fenced(attack)}
    body = {
        "responses_create_params": {"input": []},
        "response": {"output": [{"type": "message", "content": [text]}]},
        "verifier_metadata": {"unit_tests": _pairs(attack)},
    }
    return float(ask(f"{url}/verify", body)["reward"])


def nemo_skills(url: str, attack: Attack) -> float:
    """NeMo-Skills: completed, and wrote it (nemo_skills/code_execution/sandbox.py)."""
    body = {
        "generated_code": attack.source,
        "std_input": "",
        "timeout": LIMIT_S,
        "language": attack.language,
    }
    said = ask(f"{url}/execute", body)
    return float(
        said["process_status"] == "completed" and said["stdout"].split() == attack.answer.split()
    )


def open_r1(url: str, attack: Attack) -> float:
    """open-r1: a script runs the program, and its last expression is the reward
    (src/open_r1/rewards.py)."""
    limit_s = 4 * LIMIT_S
    script = f"""
import subprocess
done = subprocess.run(
    ["python3", "-c", {attack.source!r}], capture_output=True, text=True, timeout={limit_s}
)
float(done.returncode == 0 and done.stdout.strip() == {attack.answer.strip()!r})
"""
    body = {"scripts": [script], "languages": ["python"], "timeout": 30, "request_timeout": 28}
    [item] = ask(f"{url}/execute_batch", body)
    results = item["execution"]["results"] if item["execution"] else []
    return float(results[0]["text"]) if results else 0.0
