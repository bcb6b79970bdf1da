"""Which protocols there are, and where in an application they are served."""

from __future__ import annotations

from aiohttp import web

from scalebox.api.compat import (
    code_judge,
    common_evaluate,
    judge0,
    nemo_gym,
    nemo_skills,
    open_instruct,
    open_r1,
    piston,
    remote_reward,
    sandboxfusion,
)
from scalebox.api.compat.serving import Protocol
from scalebox.api.context import CONTEXT
from scalebox.api.edge import on_expect
from scalebox.config import CompatConfig
from scalebox.errors import ConfigError

PROTOCOLS: tuple[Protocol, ...] = (
    sandboxfusion.PROTOCOL,
    common_evaluate.PROTOCOL,
    code_judge.PROTOCOL,
    open_instruct.PROTOCOL,
    open_r1.PROTOCOL,
    piston.PROTOCOL,
    nemo_skills.PROTOCOL,
    nemo_gym.PROTOCOL,
    judge0.PROTOCOL,
    remote_reward.OPENRLHF,
    remote_reward.SLIME,
)


def mount(app: web.Application, config: CompatConfig) -> None:
    """Serve the protocols that the configuration wants.

    Parameters:
        app: with its own routes already.
        config: where each is.

    Raises:
        ConfigError: two of them, or one and the native API, have a path in common, or what one of
            them needs is not there.
    """
    owners = {(route.method, _path(route)): "the native API" for route in app.router.routes()}
    for protocol in PROTOCOLS:
        place: str = getattr(config, protocol.name)
        if not place:
            continue
        if protocol.prepare is not None:
            protocol.prepare(app)
        for method, path, handler in protocol.routes:
            full = f"{place.rstrip('/')}{path}"
            if not full:
                continue  # at the root, which has a path of its own
            taken = owners.setdefault((method, full), f"compat.{protocol.name}")
            if taken != f"compat.{protocol.name}":
                raise ConfigError(
                    f"{method} {full} is wanted by compat.{protocol.name} = {place!r} and by "
                    f"{taken}; serve one of them under another path, such as "
                    f"compat.{protocol.name} = '/{protocol.name}'"
                )
            route = app.router.add_route(method, full, handler, expect_handler=on_expect)
            app[CONTEXT].refusals[route] = protocol.refuse


def _path(route: web.AbstractRoute) -> str:
    return route.resource.canonical if route.resource is not None else ""
