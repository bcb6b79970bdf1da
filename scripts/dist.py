"""`make dist`: wheel, sdist, and the single self-contained executable `scaleboxd`, in dist/.

The wheel and the sdist are hatchling's, from pyproject.toml; the single file is made from that very
wheel.  Whether they work where nothing is installed is check_dist.py's question.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import results  # noqa: E402
from scripts.onefile import pack, tree  # noqa: E402

DIST = ROOT / "dist"


def main() -> int:
    """Build everything; returns the exit status."""
    try:
        wheel, sdist = build_packages(ROOT, DIST)
        print("dist: making the single file", flush=True)
        folder = ROOT / "build" / "onefile"
        glibc = tree.build(folder, wheel)
        single = DIST / "scaleboxd"
        pack.pack(folder, single, glibc=glibc)
        shutil.rmtree(folder)
    except tree.DistError as error:
        print(f"dist: {error}", file=sys.stderr)
        return 1
    notes = {single: f"needs glibc {glibc} or newer", wheel: "", sdist: ""}
    results.show(
        "dist/",
        [
            {"file": path.name, "MiB": path.stat().st_size / (1 << 20), "note": note}
            for path, note in notes.items()
        ],
    )
    return 0


def build_packages(source: Path, target: Path) -> tuple[Path, Path]:
    """Wheel and sdist of a source tree; what an earlier build left is replaced.

    Raises:
        DistError: hatchling is missing, or refuses.
    """
    for old in [*target.glob("scalebox-*.whl"), *target.glob("scalebox-*.tar.gz")]:
        old.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(target)],
        cwd=source, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise tree.DistError(f"hatchling failed (`make dist` installs it):\n{said}")
    (wheel,) = target.glob("scalebox-*.whl")
    (sdist,) = target.glob("scalebox-*.tar.gz")
    return wheel, sdist


if __name__ == "__main__":
    sys.exit(main())
