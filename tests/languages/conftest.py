"""Engines for tests of languages."""

from __future__ import annotations

from tests.engine.conftest import start_engine

__all__ = ["start_engine"]
