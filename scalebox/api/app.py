"""The aiohttp application: which path is answered by what."""

from __future__ import annotations

from aiohttp import web

from scalebox.api import batch, judges, native
from scalebox.api.context import CONTEXT, ApiContext
from scalebox.api.edge import Handler, edge, on_expect
from scalebox.api.service import EngineService
from scalebox.config import CompatConfig, Config

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/v1/judge", native.judge),
    ("POST", "/v1/judge/batch", batch.judge_batch),
    ("POST", "/v1/run", native.run),
    ("PUT", "/v1/blobs/{sha256}", native.put_blob),
    ("HEAD", "/v1/blobs/{sha256}", native.head_blob),
    # Ids may hold slashes (`apps/train/17`).
    ("PUT", "/v1/problems/{id:.+}", native.put_problem),
    ("GET", "/v1/problems/{id:.+}", native.get_problem),
    ("GET", "/v1/status", native.get_status),
    ("GET", "/v1/cluster", native.get_cluster),
    ("GET", "/v1/languages", native.get_languages),
    ("GET", "/v1/languages/tests", native.get_language_tests),
    ("GET", "/v1/judges", judges.get_judges),
    ("POST", "/v1/judges", judges.post_judge),
    # Names may hold ids of problems.
    ("GET", "/v1/judges/{name:.+}", judges.get_judge),
    ("POST", "/v1/judges/{name:.+}/state", judges.post_judge_state),
    ("GET", "/healthz", native.healthz),
    ("GET", "/metrics", native.get_metrics),
    ("GET", "/openapi.json", native.get_openapi),
)


def make_app(config: Config, engine: EngineService) -> web.Application:
    """The native API and the compatible ones that are wanted, to be served by `scalebox.api.serve`.

    Parameters:
        config: bounds and tokens.
        engine: already started; it must outlive the application.

    Raises:
        ConfigError: compatible APIs are in each other's way.
    """
    # Bodies are read by `codec`, which has the bound; aiohttp's own would only get in its way.
    app = web.Application(middlewares=[edge], client_max_size=config.server.max_request_bytes)
    context = ApiContext(config, engine)
    app[CONTEXT] = context
    for method, path, handler in ROUTES:
        app.router.add_route(method, path, handler, expect_handler=on_expect)
        if method == "GET":  # HTTP promises HEAD wherever there is GET; some probes use it
            app.router.add_route("HEAD", path, handler, expect_handler=on_expect)
    if config.compat != CompatConfig():
        # A daemon that speaks none of them neither loads them (20 ms) nor holds them in memory.
        from scalebox.api.compat import protocols

        protocols.mount(app, config.compat)

    async def end_joined_work(_: web.Application) -> None:
        await context.answers.aclose()

    app.on_cleanup.append(end_joined_work)
    return app
