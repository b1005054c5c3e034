"""A Chromium that shows pages, and what it has to say of them."""

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.service.answering import eventually

CHROMIUM, DRIVER = (shutil.which(it) for it in ("chromium", "chromedriver"))
MISSING = (
    None
    if CHROMIUM and DRIVER
    else "pages are looked at in Debian's chromium, with chromium-driver; neither is made up for"
)
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # which Chromium needs to start as root, in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--no-first-run",
)
_AXE_SECONDS = 120  # for all that is in Swagger UI, on a machine that does other things besides
_KNOWN = "axe_core_python"  # the package that bundles axe
_IS_DRAWN = """
const [chart] = arguments;
const says = /none|empty/.test(chart.className) && !chart.textContent.startsWith("Asking");
return Boolean(chart.dataset.drawn) || says;
"""
_IS_FADING = """
const running = (it) => it instanceof CSSTransition && it.playState === "running";
return document.getAnimations().some(running);
"""


class Look(NamedTuple):
    """How a page is looked at.

    Parameters
    ----------
    name : of it.
    width, height : of the window, in CSS pixels.
    theme : what the system prefers.
    """

    name: str
    width: int
    height: int
    theme: str


LOOKS = (
    Look("light", 1280, 860, "light"),
    Look("dark", 1280, 860, "dark"),
    Look("phone", 390, 844, "light"),
)


class Browser:
    """One window.

    Parameters
    ----------
    driver : of the browser.
    downloads : the folder where files are saved.
    """

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver, self.downloads = driver, downloads

    def look(self, look: Look) -> None:
        """Have another size and theme from now on."""
        self._resize(look, look.height)
        wanted = {"features": [{"name": "prefers-color-scheme", "value": look.theme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)

    def open(self, url: str) -> None:
        """Load a page, and wait for it to have what it asks for."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(url)
        self.wait()

    def wait(self) -> None:
        """Wait for the page's script to be done."""
        eventually(lambda: bool(self.run("return document.body.dataset.ready")))

    def run(self, script: str, *given: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *given)

    def find(self, selector: str) -> WebElement:
        """The first element of a selector."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        """Every element of a selector."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def click(self, selector: str) -> None:
        """Click on an element where it is shown."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", self.find(selector))
        self.find(selector).click()

    def draw_all(self) -> None:
        """Scroll past every chart, and wait until each is drawn."""
        for chart in self.all(".panel .chart"):
            self.run("arguments[0].scrollIntoView({block: 'center'})", chart)
            eventually(partial(self.run, _IS_DRAWN, chart))
        self.run("scrollTo(0, 0)")

    def complaints(self) -> list[str]:
        """What the console was told since the page was opened, of the grade of a warning and up."""
        return [str(it["message"]) for it in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """What was asked for since the page was opened."""
        logged = (json.loads(it["message"])["message"] for it in self.driver.get_log("performance"))
        sent = (it for it in logged if it["method"] == "Network.requestWillBeSent")
        return [it["params"]["request"]["url"] for it in sent]

    def violations(self) -> list[str]:
        """What axe finds, once no colour fades any more."""
        eventually(lambda: not self.run(_IS_FADING))
        self.run(_axe())
        found = self.driver.execute_async_script(
            "const [done] = arguments; axe.run(document).then((it) => done(it.violations))"
        )
        return [
            f"{it['id']}: {it['help']}: {[node['html'][:200] for node in it['nodes'][:3]]}"
            for it in found
        ]

    def picture(self, look: Look) -> bytes:
        """The whole page as PNG."""
        height = self.run("return document.documentElement.scrollHeight")
        self._resize(look, height)
        shot = {"format": "png", "captureBeyondViewport": True}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", shot)
        self._resize(look, look.height)
        return base64.b64decode(taken["data"])

    def _resize(self, look: Look, height: int) -> None:
        size = {"width": look.width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser of its own, closed at the end."""
    assert CHROMIUM is not None
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for it in (*_OPTIONS, f"--user-data-dir={folder}/profile"):
            options.add_argument(it)
        options.set_capability("goog:loggingPrefs", {"browser": "WARNING", "performance": "ALL"})
        # Selenium is never to look for a driver elsewhere.
        environment = os.environ | {"SE_OFFLINE": "true", "SE_AVOID_STATS": "true"}
        driver = webdriver.Chrome(options=options, service=Service(DRIVER, env=environment))
        driver.set_script_timeout(_AXE_SECONDS)
        try:
            downloads = Path(folder, "downloads")
            behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
            driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
            yield Browser(driver, downloads)
        finally:
            driver.quit()


def _axe() -> str:
    spec = find_spec(_KNOWN)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "axe.min.js").read_text()
