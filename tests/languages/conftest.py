"""The engine's own fixtures, and the languages that this host has."""

from __future__ import annotations

import warnings

from scalebox.config import LanguagesConfig
from scalebox.languages.toolchains import Language, Toolchains
from tests.engine.conftest import start_engine

__all__ = ["start_engine"]

ALL: dict[str, Language] = {
    language.entry.name: language for language in Toolchains(LanguagesConfig()).all()
}
#: Tests are made for these, so that none has to be left out while it runs …
HERE = [name for name, language in ALL.items() if not language.missing]
#: … and what is not tried is said at the end of every run.
MISSING = [name for name, language in ALL.items() if language.missing]
if MISSING:
    warnings.warn(f"languages not tried, for want of tools: {', '.join(MISSING)}", stacklevel=1)
