"""`python -m scalebox.cli`: the command line where its script is not on PATH."""

from __future__ import annotations

from scalebox.cli import main

main(prog_name="scalebox")
