"""The daemon's log: structlog, loaded without what it would not use, and set up once."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import structlog

    from scalebox.config import LogConfig
else:
    # structlog loads Rich where it is installed, for tracebacks that `format_exc_info` leaves it
    # none of: a tenth of a second, which is a tenth of what a daemon's start may take.
    _known = "rich" in sys.modules
    if not _known:
        sys.modules["rich"] = None
    try:
        import structlog
    finally:
        if not _known:
            del sys.modules["rich"]

__all__ = ["set_up", "structlog"]


def set_up(config: LogConfig) -> None:
    """What is logged from now on, and how, on standard error."""
    console = config.format == "console" or (config.format == "auto" and sys.stderr.isatty())
    level = logging.getLevelNamesMapping()[config.level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    # What libraries say through `logging` is for our debugging only.
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
