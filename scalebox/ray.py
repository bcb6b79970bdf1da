"""`scalebox.ray`: the names of `scalebox.integrations.ray` where one looks for them.

`import scalebox` does not load this, and so not Ray.
"""

from __future__ import annotations

from scalebox.integrations.ray import Daemons, Judge, judge_all, judge_many, start

__all__ = ["Daemons", "Judge", "judge_all", "judge_many", "start"]
