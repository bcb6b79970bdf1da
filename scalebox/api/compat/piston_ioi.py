"""open-r1's package `cms_ioi` for Piston: tasks of the IOI, as the system of its contests has them.

A submission is linked with a grader, or with a stub that talks with a manager.  What the package
makes of the files is in huggingface/open-r1:src/open_r1/utils/ioi/morph_client.py (its compile and
run scripts).  A manager runs in a slot of its own, as the judge of a conversation, linked with
`beside_manager.cpp`.
"""

from __future__ import annotations

import functools
import importlib.resources
from typing import Any

import msgspec
from aiohttp import web

from scalebox.api.compat.piston_contests import (
    ANSWER,
    DIFF,
    INPUT,
    MEBI,
    Contest,
    File,
    Task,
    bounds,
    checker,
    defining,
    text_of,
)
from scalebox.errors import BadRequestError
from scalebox.model import Blob, Data, Judge, ProgramJudge

_GRADERS, _GRADER_CONFIG = "graders/", "graders/grader_config.json"
_CHECKER = "checker/checker.cpp"
_BESIDE_MANAGER = "beside_manager.cpp"
_OF_COMMUNICATION = "task_type_parameters_Communication_"


class Ioi(Contest):
    """`graders/NAME.cpp`, what it is linked with, `grader_config.json` there, a checker in C++."""

    def task(
        self,
        request: web.Request,
        files: list[File],
        given: dict[str, File],
        run_s: float,
        memory_bytes: float,
    ) -> Task:
        config = _json(given.get(_GRADER_CONFIG))
        kind = config.get("task_type")
        if kind not in ("Batch", "Communication"):
            raise BadRequestError(
                f"cms_ioi tasks of type {str(kind)[:50]!r} are not served, only Batch and "
                "Communication"
            )
        graders = {
            name.removeprefix(_GRADERS): file
            for name, file in given.items()
            if name.startswith(_GRADERS)
        }
        # As the compile script finds it: the first header but testlib's names the task.
        headers = sorted(name for name in graders if name.endswith(".h") and name != "testlib.h")
        name = headers[0].removesuffix(".h") if headers else str(config.get("code", ""))
        main = graders.get(f"{name}.cpp")
        if main is None:
            raise BadRequestError(f"cms_ioi needs the submission as {_GRADERS}{name[:100]}.cpp")
        linked: dict[str, Data] = {
            other: defining("EVAL", other, text_of(graders[other]))
            for other in ("grader.cpp", "stub.cpp")
            if other in graders and graders[other] is not main
        }
        linked.update({header: text_of(graders[header]) for header in headers})
        memory_limit = config.get("memory_limit")
        memory = memory_limit if isinstance(memory_limit, int | float) else memory_bytes
        time_limit = config.get("time_limit")
        limit_s = time_limit if isinstance(time_limit, int | float) else None
        return Task(
            language="cpp17",
            source=defining("EVAL", f"{name}.cpp", text_of(main)),
            files=linked,
            input=text_of(given[INPUT]),
            answer=text_of(given[ANSWER]) if ANSWER in given else None,
            judge=self._judge(given),
            time_limit=f"{run_s if limit_s is None else limit_s:g}",
            memory_limit=f"{int(memory) // MEBI}MB",
            limits=bounds(request, limit_s, run_s, memory),
            manager=_manager(config, given, graders) if kind == "Communication" else None,
        )

    def _judge(self, given: dict[str, File]) -> Judge:
        source = given.get(_CHECKER)
        if source is None:
            return DIFF
        beside = {
            name.removeprefix("checker/"): file.data
            for name, file in given.items()
            if name.startswith("checker/") and name != _CHECKER and name.endswith(".h")
        }
        return checker("cpp17", source.data, beside)


def _manager(
    config: dict[str, Any], given: dict[str, File], graders: dict[str, File]
) -> ProgramJudge:
    source = graders.get("manager.cpp")
    if source is None:
        raise BadRequestError(f"cms_ioi tasks of type Communication need {_GRADERS}manager.cpp")
    if _CHECKER in given:
        raise BadRequestError(
            "cms_ioi tasks of type Communication are served without a checker: the manager decides"
        )
    processes = config.get(f"{_OF_COMMUNICATION}num_processes")
    if processes not in (None, 1):
        raise BadRequestError(
            f"cms_ioi tasks with {str(processes)[:20]} processes of the submission are not served, "
            "only with one"
        )
    way = config.get(f"{_OF_COMMUNICATION}user_io")
    if way not in (None, "", "std_io"):
        raise BadRequestError(
            f"cms_ioi tasks whose user_io is {str(way)[:20]!r} are not served, only std_io: the "
            "submission talks over its standard input and output"
        )
    files: dict[str, Data] = {
        name: Blob(data=file.data) for name, file in graders.items() if name.endswith(".h")
    }
    return ProgramJudge(
        contract="icpc",
        language="cpp17",
        source=Blob(data=source.data),
        files={**files, _BESIDE_MANAGER: _beside_manager()},
        flags=str(config.get(f"{_OF_COMMUNICATION}manager_args") or "").split()[:50],
    )


@functools.cache
def _beside_manager() -> str:
    folder = importlib.resources.files("scalebox.api.compat")
    return folder.joinpath(_BESIDE_MANAGER).read_text(encoding="utf-8")


def _json(file: File | None) -> dict[str, Any]:
    if file is None:
        raise BadRequestError(f"cms_ioi needs a file {_GRADER_CONFIG}")
    try:
        config = msgspec.json.decode(file.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise BadRequestError(f"{_GRADER_CONFIG} is no JSON object")
    return config
