"""A real, headless Chromium for a page in a file: what it says, what it shows, what it asks the network for."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Browser", "chromium", "why_no_browser"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def why_no_browser() -> str:
    """Empty where there are a Chromium, its driver and Selenium; else what is missing."""
    if not any(map(shutil.which, _NAMES)):
        return "no Chromium: apt-get install chromium"
    if not shutil.which("chromedriver"):
        return "no chromedriver: apt-get install chromium-driver"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "no Selenium: make setup"
    return ""


class Browser:
    """One window that shows one page at a time."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def show(self, page: Path, width: int, height: int = 844, *, dark: bool = False, scale: float = 1) -> None:
        """Opens a file in a window ``width`` CSS pixels wide, in the light or the dark scheme."""
        self._command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])
        self._driver.get(page.resolve().as_uri())

    def run(self, script: str) -> Any:
        """What JavaScript answers; it has to ``return`` it."""
        return self._driver.execute_script(script)

    def said(self) -> list[str]:
        """What the console and the page's policy had to say since the last time."""
        return [entry["message"] for entry in self._driver.get_log("browser")]

    def fetched(self) -> list[str]:
        """Addresses asked for since the last time, without those inside the page itself."""
        events = [json.loads(entry["message"])["message"] for entry in self._driver.get_log("performance")]
        asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in asked if not params["request"]["url"].startswith("data:")]

    def screenshot(self, path: Path, *, top: int = 0, height: int | None = None) -> None:
        """The page from ``top`` on, ``height`` CSS pixels or all of it, as PNG."""
        size = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": top, "width": size[0], "height": height or size[1] - top, "scale": 1}
        answer = self._command("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(answer["data"]))

    def print(self, path: Path) -> None:
        """The page as a printer gets it, as PDF."""
        answer = self._command("Page.printToPDF", printBackground=False, preferCSSPageSize=True, paperWidth=8.27,
                               paperHeight=11.69)  # fmt: skip
        path.write_bytes(base64.b64decode(answer["data"]))

    def _command(self, name: str, **parameters: Any) -> Any:
        return self._driver.execute_cdp_cmd(name, parameters)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that is gone afterwards."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, _NAMES)))
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to start as root with it
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # the driver is named, so that Selenium looks for none on the network
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
