"""SandboxFusion's languages: which of ours each means, and what is told apart of each.

The names are those of bytedance/SandboxFusion:sandbox/runners/types.py, what they do is in
sandbox/runners/{major,minor}.py there.  Names that only ScaleBox knows (`c`, `haskell`) are served,
too; those that neither knows are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scalebox.model import Data


@dataclass(frozen=True, slots=True)
class Launched:
    """A program as it is run.

    Attributes:
        source: of the main file.
        files: further ones.
        args: that come before the request's own.
    """

    source: str
    files: dict[str, Data] = field(default_factory=dict)
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Runner:
    """How a language of SandboxFusion's is run.

    Attributes:
        language: ours.
        compiles: whether it has a compiler's command of its own there; else what a compiler has
            to say is the run's.
        known: whether SandboxFusion has the name: what is missing then is missing in the sandbox.
        takes_args: whether the request's `args` are for it.
        needs: another language of ours that must be here; empty: none.
    """

    language: str
    compiles: bool = False
    known: bool = True
    takes_args: bool = False
    needs: str = ""

    def launch(self, code: str, files: Mapping[str, Data]) -> Launched:
        """The program of a request.

        Parameters:
            code: as it was sent.
            files: that come with it.
        """
        if self.language == "php" and "<?php" not in code:
            return Launched(f"<?php\n{code}")
        if not self.takes_args:
            return Launched(code)
        name = "test_main.py"
        while name in files:
            name = f"test_{name}"
        return Launched(_PYTEST, {name: code}, (name,))


_PYTEST = "import sys\nimport pytest\n\nsys.exit(pytest.main(sys.argv[1:]))\n"

_RUNNERS = {
    "python": Runner("python"),
    # Our own entry reports on standard error, SandboxFusion's on standard output.
    "pytest": Runner("python", takes_args=True, needs="pytest"),
    "python_gpu": Runner("python_gpu"),
    "cpp": Runner("cpp", compiles=True),
    "cuda": Runner("cuda", compiles=True),
    "nodejs": Runner("javascript"),
    "js": Runner("javascript"),
    "typescript": Runner("typescript"),
    "ts": Runner("typescript"),
    "jest": Runner("jest"),
    "go": Runner("go", compiles=True),
    "go_test": Runner("go_test"),
    "java": Runner("java", compiles=True),
    "junit": Runner("junit", compiles=True),
    "kotlin_script": Runner("kotlin_script"),
    "scala": Runner("scala", compiles=True),
    "csharp": Runner("csharp"),
    "rust": Runner("rust", compiles=True),
    "php": Runner("php"),
    "bash": Runner("bash"),
    "lua": Runner("lua"),
    "R": Runner("r"),
    "perl": Runner("perl"),
    "D_ut": Runner("d_ut", compiles=True),
    "ruby": Runner("ruby"),
    "julia": Runner("julia"),
    "verilog": Runner("verilog", compiles=True),
    "lean": Runner("lean"),
    "swift": Runner("swift", compiles=True),
    "racket": Runner("racket"),
    # A name that the original takes and has no runner for.
    "sql": Runner("sql"),
}


def runner(name: str) -> Runner:
    """How a language is run, whoever knows its name."""
    return _RUNNERS.get(name) or Runner(name, compiles=True, known=False)
