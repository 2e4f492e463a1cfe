"""A headless Chromium that a test drives, by the DevTools protocol."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import websocket

PROGRAM = "chromium"
# A slow machine draws JupyterLab in half a minute.
PATIENCE_SECONDS = 120
OPTIONS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
    "--window-size=1280,900",
)


class Browser:
    """One page of a browser with a profile of its own, closed at the end of ``with``."""

    def __enter__(self) -> Self:
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        # Chromium's sandbox does not work for root.
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
        command = [
            PROGRAM,
            *OPTIONS,
            *sandbox,
            f"--user-data-dir={self.profile.name}",
            "about:blank",
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.line = websocket.create_connection(
            self._address(), timeout=PATIENCE_SECONDS, suppress_origin=True, http_no_proxy=["*"]
        )
        self.sent = 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.line.close()
        self.process.kill()
        self.process.wait()
        self.profile.cleanup()

    def _address(self) -> str:
        """Where the page listens, once Chromium has said its port."""
        file = Path(self.profile.name, "DevToolsActivePort")
        wait_for(lambda: file.is_file() and file.read_text().count("\n"), "Chromium did not start")
        port = file.read_text().split()[0]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/json") as answer:
            (page,) = [t for t in json.load(answer) if t["type"] == "page"]
        return str(page["webSocketDebuggerUrl"])

    def _do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command. Returns: its result."""
        self.sent += 1
        self.line.send(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while True:
            answer: dict[str, Any] = json.loads(self.line.recv())
            if answer.get("id") == self.sent:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])

    def go(self, url: str) -> None:
        """Open a page."""
        self._do("Page.navigate", url=url)

    def ask(self, script: str) -> Any:
        """The value of an expression in the page; None while the page changes."""
        said = self._do("Runtime.evaluate", expression=script, returnByValue=True)
        return said["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression holds. Raises: AssertionError with what the page shows."""
        try:
            wait_for(lambda: self.ask(script), script)
        except AssertionError as problem:
            shown = self.ask("location.href + '\\n' + document.body.innerText.slice(0, 2000)")
            raise AssertionError(f"{problem}; the page shows: {shown}") from None

    def click(self, selector: str) -> None:
        """Click on an element as a user does, once it is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.wait(f"{found} !== null && {found}.getBoundingClientRect().width > 0")
        box = self.ask(
            f"(() => {{const b = {found}.getBoundingClientRect();"
            " return {x: b.x + b.width / 2, y: b.y + b.height / 2}})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            more = {"button": "left", "clickCount": 1}
            self._do("Input.dispatchMouseEvent", type=kind, **box, **more)

    def type(self, text: str) -> None:
        """Write into what has the focus."""
        self._do("Input.insertText", text=text)

    def press_shift_enter(self) -> None:
        """The keys that run a cell."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 8}
        for kind in ("keyDown", "keyUp"):
            self._do("Input.dispatchKeyEvent", type=kind, **key)


def wait_for(holds: Any, what: str) -> None:
    """Ask until it holds. Raises: AssertionError with ``what`` if it does not in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not in {PATIENCE_SECONDS} seconds: {what}"
        time.sleep(0.2)
