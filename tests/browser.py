"""A headless Chromium that looks at a page: what it says on its console, what it asks the network for, how it lies."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
HEIGHT, LEAST = 900, 500
"""Of the window in CSS pixels; it does not become narrower than LEAST, a frame inside it does."""
OWN = "not an origin"
"""What the log gives as the initiator of the browser's own requests."""
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--v=0",
    "--virtual-time-budget=6000",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
FRAME = """<!DOCTYPE html><title>frame</title><body style="margin:0">
<iframe style="border:0;width:{width}px;height:{height}px" src="page.html"></iframe>
"""
MARK = "TOLD "
REPORT = """<script>
addEventListener("load", () => setTimeout(() => {{
  {before}
  setTimeout(() => console.log("{mark}" + JSON.stringify({{ {told} }})), 500);
}}, 500));
</script></body>"""


@dataclass(frozen=True)
class Seen:
    """console: the lines that the page wrote there; requests: addresses that it asked for; told: what its report
    said."""

    console: list[str]
    requests: list[str]
    told: dict[str, Any]


def program() -> str | None:
    """The browser, or None where there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def look(page: str, folder: Path, width: int, told: str, before: str = "") -> Seen:
    """Open a page's HTML in a frame of a width in CSS pixels, run the JavaScript ``before``, and let it report.

    Args:
        page: its text; a script is added before its end.
        folder: a new one for the copy, the profile, the log and a picture.
        told: the inside of a JavaScript object.
    """
    folder.mkdir(parents=True)
    report = REPORT.format(before=before, told=told, mark=MARK)
    head, _, tail = page.rpartition("</body>")
    (folder / "page.html").write_text(head + report + tail, encoding="utf-8")
    frame, log = folder / "frame.html", folder / "net.json"
    frame.write_text(FRAME.format(width=width, height=HEIGHT), encoding="utf-8")
    own = (
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={log}",
        f"--screenshot={folder / 'page.png'}",
        f"--window-size={max(width, LEAST)},{HEIGHT}",
    )
    command = [program(), *OPTIONS, *own, frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    lines = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    said = [line.split(MARK, 1)[1].rsplit('", source:', 1)[0] for line in lines if MARK in line]
    assert said, f"the page did not report: {done.stderr[-2000:]}"
    return Seen([line for line in lines if MARK not in line], _requests(log), json.loads(said[0]))


def _requests(log: Path) -> list[str]:
    """The addresses that pages asked for, without those of the browser itself."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    given = [event.get("params") or {} for event in events]
    return [each["url"] for each in given if each.get("initiator", OWN) != OWN and "url" in each]
