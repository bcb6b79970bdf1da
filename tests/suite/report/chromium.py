"""A real Chromium without a window, driven over its DevTools protocol; for tests of pages.

The protocol: https://chromedevtools.github.io/devtools-protocol/.  With `--remote-debugging-port=0`
the browser writes the port that it took, and the path of its WebSocket, into `DevToolsActivePort`
in its profile's folder.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_S, ANSWER_S = 60, 30


def find_browser() -> str:
    """The path of a Chromium.

    Raises:
        AssertionError: there is none.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found, (
        "reports are tested in a real Chromium, and none of "
        f"{', '.join(NAMES)} is on PATH: apt-get install chromium"
    )
    return found


class Page:
    """One page that is open.

    Attributes:
        requests: URLs that it asked for, its own among them.
        errors: what went wrong in it: exceptions, refusals of its security policy, log entries.
        dialogs: texts of `alert` and its like.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self.session = ""
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.dialogs: list[str] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One method of the protocol.

        Raises:
            AssertionError: the browser refuses.
        """
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        request: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        await self._socket.send_json(request)
        found = await asyncio.wait_for(answer, ANSWER_S)
        assert "error" not in found, f"{method}: {found['error']}"
        result: dict[str, Any] = found["result"]
        return result

    async def listen(self) -> None:
        """Hear the browser until it goes."""
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._waiting.pop(said["id"]).set_result(said)
                continue
            params = said["params"]
            match said["method"]:
                case "Network.requestWillBeSent":
                    self.requests.append(params["request"]["url"])
                case "Runtime.exceptionThrown":
                    self.errors.append(json.dumps(params["exceptionDetails"])[:2000])
                case "Log.entryAdded":
                    self.errors.append(json.dumps(params["entry"])[:2000])
                case "Page.javascriptDialogOpening":
                    self.dialogs.append(params["message"])
                case "Page.loadEventFired":
                    self._loaded.set()

    async def open(self, file: Path) -> None:
        """Go to a file and wait for it."""
        self._loaded.clear()
        await self.call("Page.navigate", url=file.as_uri())
        await asyncio.wait_for(self._loaded.wait(), ANSWER_S)

    async def ask(self, script: str) -> Any:
        """The value of an expression in the page.

        Raises:
            AssertionError: it throws.
        """
        found = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until an expression is true, and give its value.

        Raises:
            TimeoutError: it does not come true.
        """
        async with asyncio.timeout(ANSWER_S):
            while not (value := await self.ask(script)):
                await asyncio.sleep(0.02)
        return value

    async def type(self, selector: str, text: str) -> None:
        """Write into a field."""
        await self.ask(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.call("Input.insertText", text=text)

    async def click(self, selector: str) -> None:
        """Click with the mouse on the middle of what a selector finds first."""
        place = await self.ask(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)});"
            "one.scrollIntoView({block: 'center'}); const box = one.getBoundingClientRect();"
            "return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place
            )

    async def press(self, key: str, code: int) -> None:
        """Press a key that writes nothing, by its name and its number in Windows."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    async def text(self, selector: str) -> str:
        """The text of what a selector finds first, as one sees it."""
        found = await self.ask(f"document.querySelector({json.dumps(selector)}).innerText")
        assert isinstance(found, str)
        return found

    async def colours(self, scheme: str) -> None:
        """Have the page `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def screenshot(self, file: Path, *, whole: bool = True) -> None:
        """A picture of the page, as PNG."""
        found = await self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(found["data"]))


@contextlib.asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Callable[[], Any]]:
    """A browser; what it gives opens pages: `async with opened() as page`."""
    process = subprocess.Popen(
        [
            find_browser(),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            "about:blank",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
        start_new_session=True,
    )
    try:
        port, path = await _address(profile / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as http:

            @contextlib.asynccontextmanager
            async def opened(width: int = 1280, height: int = 900) -> AsyncIterator[Page]:
                url = f"ws://127.0.0.1:{port}{path}"
                async with http.ws_connect(url, max_msg_size=0) as socket:
                    page = Page(socket)
                    async with asyncio.TaskGroup() as group:
                        ear = group.create_task(page.listen())
                        target = await _attach(page, width, height)
                        yield page
                        page.session = ""
                        await page.call("Target.closeTarget", targetId=target)
                        ear.cancel()

            yield opened
    finally:
        # Its children are in its session's process group, and in no other.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # What it has made outside of its profile, since addresses of sockets must be short.
        with contextlib.suppress(OSError):
            shutil.rmtree((profile / "SingletonSocket").readlink().parent)


async def _attach(page: Page, width: int, height: int) -> str:
    made = await page.call("Target.createTarget", url="about:blank")
    target: str = made["targetId"]
    attached = await page.call("Target.attachToTarget", targetId=target, flatten=True)
    page.session = attached["sessionId"]
    for domain in ("Page", "Network", "Runtime", "Log"):
        await page.call(f"{domain}.enable")
    await page.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=False,
    )
    return target


async def _address(file: Path, process: subprocess.Popen[bytes]) -> tuple[int, str]:
    async with asyncio.timeout(START_S):
        while True:
            assert process.poll() is None, f"the browser ended with {process.returncode}"
            lines = file.read_text().splitlines() if file.exists() else []
            if len(lines) == 2:
                return int(lines[0]), lines[1]
            await asyncio.sleep(0.05)
