"""A headless Chromium that opens a page from a file: its log, its screenshots and its network requests."""

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
    """Return what is missing: Chromium, its driver or Selenium; empty if all are installed."""
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
    """One window."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def show(self, page: Path | str, width: int, height: int = 844, *, dark: bool = False, scale: float = 1) -> None:
        """Open a file or an address in a window ``width`` CSS pixels wide, in light or dark mode."""
        self._command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])
        self._driver.get(page if isinstance(page, str) else page.resolve().as_uri())

    def run(self, script: str) -> Any:
        """Run JavaScript and return the value of its ``return`` statement."""
        return self._driver.execute_script(script)

    def submit(self, field: str, text: str) -> None:
        """Type a text into the field with this name, and send its form."""
        element = self._driver.find_element("name", field)
        element.clear()
        element.send_keys(text)
        element.submit()

    def log(self) -> list[str]:
        """Return the messages of the console and of the content security policy since the last call."""
        return [entry["message"] for entry in self._driver.get_log("browser")]

    def fetched(self) -> list[str]:
        """Return the URLs that were requested since the last call, without data URLs."""
        events = [json.loads(entry["message"])["message"] for entry in self._driver.get_log("performance")]
        asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in asked if not params["request"]["url"].startswith("data:")]

    def screenshot(self, path: Path, *, top: int = 0, height: int | None = None) -> None:
        """Write the page as PNG, from ``top`` on, ``height`` CSS pixels or to its end."""
        size = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": top, "width": size[0], "height": height or size[1] - top, "scale": 1}
        answer = self._command("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(answer["data"]))

    def print(self, path: Path) -> None:
        """Write the page as PDF, as it would be printed."""
        answer = self._command("Page.printToPDF", printBackground=False, preferCSSPageSize=True, paperWidth=8.27,
                               paperHeight=11.69)  # fmt: skip
        path.write_bytes(base64.b64decode(answer["data"]))

    def _command(self, name: str, **parameters: Any) -> Any:
        return self._driver.execute_cdp_cmd(name, parameters)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser, and end it afterwards."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, _NAMES)))
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium does not start as root with its sandbox
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # with a given driver, Selenium does not download one
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
