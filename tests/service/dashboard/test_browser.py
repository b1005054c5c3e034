"""Every page in a real browser: in light, in dark, and as narrow as a phone."""

import csv
import io
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.assets.database import HistoryStore
from service.security.keys import make_key
from service.security.store import KeyStore
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service import worlds
from tests.service.answering import answering, eventually
from tests.service.any_asset import publish_universal
from tests.service.dashboard.browser import LOOKS, MISSING, Browser, browsing
from tests.service.ledger.days import DAY, days_after
from tests.service.worlds import ASSET, NOW, SetClock, bars_of, json_bars
from volatility.rows import csv_header, csv_lines

pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

LIVE = 12  # sessions that were forecast before they closed
OTHERS = [f"OTHER-{number:03d}" for number in range(120)]
PAGES = {"overview": "/", "asset": f"/view/{ASSET}", "try": "/try", "docs": "/docs"}
PASTED = bars_of(make_series()).where(slice(-200, None))
CSV = csv_header(is_daily=True) + "".join(csv_lines(PASTED))
TABLE = "#assets tbody tr"
# The browser itself, whose first page asks for its parts.
WITHIN = "data:", "blob:", "chrome:", "chrome-untrusted:"
# Keeps the answer to the first file back until `release()` is called.
HOLD = """
const send = window.fetch;
let held = false;
window.fetch = (path, options) => {
  if (held || !path.startsWith("/history")) return send(path, options);
  held = true;
  return new Promise((resolve) => {
    window.release = async () => {
      resolve(await send(path, options));
      setTimeout(() => { window.released = true; }, 300);
    };
  });
};
"""
THEME = "return document.documentElement.dataset.theme"


@pytest.fixture(scope="module")
def settings(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(world, folder, dirs_exist_ok=True)
    settings = worlds.settings_in(folder)
    publish_universal(settings)
    history = HistoryStore(settings.database_url)
    some = bars_of(make_series()).where(slice(-60, None))
    for name in OTHERS:
        history.merge(worlds.held_asset(name), some, replace=False)
    history.close()
    return settings


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    """A service that has been asked day by day."""
    clock = SetClock(NOW)
    with answering(settings, clock) as url, httpx.Client(base_url=url, timeout=60) as client:
        for bar in days_after(make_series().rv[:LIVE]):
            client.get(f"/forecast/{ASSET}").raise_for_status()
            clock.now += DAY
            client.put(f"/assets/{ASSET}/bars", json={"bars": [bar]}).raise_for_status()
        eventually(lambda: told(client) == LIVE)
        yield url


def told(client: httpx.Client) -> int:
    """Outcomes that the overview knows of."""
    rows = [row for it in client.get("/performance").json()["assets"] for row in it["models"]]
    return max((row["nobs"] for row in rows if row["model"] == "log_har"), default=0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole_quiet_and_accessible(url: str, browser: Browser, page: str) -> None:
    browser.look(LOOKS[0])
    browser.open(url + PAGES[page])
    if page == "try":
        browser.click("#example")
        eventually(lambda: bool(browser.all(".panel")))
        browser.wait()
    browser.draw_all()
    assert [it.text for it in browser.all("main .problem")] == []
    for details in browser.all("main details:not([open]):not(#swagger *)"):
        browser.run("arguments[0].open = true", details)
    for look in LOOKS:
        browser.look(look)  # to which the page turns as it stands
        eventually(lambda it=look: browser.run(THEME) == it.theme)  # type: ignore[misc]
        assert browser.run("return document.documentElement.scrollWidth") <= look.width, look
        assert browser.violations() == [], look
    assert browser.complaints() == []
    assert [it for it in browser.requests() if not it.startswith((url, *WITHIN))] == []


def test_the_overview_is_sorted_filtered_and_left(url: str, browser: Browser) -> None:
    browser.look(LOOKS[0])
    browser.open(url)
    assert len(browser.all(TABLE)) == 100  # of 121
    browser.click("#more")
    assert len(browser.all(TABLE)) == len(OTHERS) + 1
    browser.click("[data-sort=coverage]")
    assert browser.find("th[aria-sort]").get_attribute("aria-sort") == "descending"
    first = browser.find(TABLE)  # the only one with live forecasts
    assert first.find_element("css selector", "a").text == ASSET
    assert f"of {LIVE}" in first.text
    with httpx.Client(base_url=url) as client:
        said = client.get(f"/forecast/{ASSET}").json()
    assert f"{said['volatility_annualized']:.1%}" in first.text
    browser.find("#filter").send_keys("other-00")
    assert len(browser.all(TABLE)) == 10
    browser.find("#filter").clear()
    browser.find("#filter").send_keys("nothing")
    assert browser.find(TABLE).text == "No asset matches."
    browser.find("#filter").clear()
    browser.find("#filter").send_keys(ASSET)
    browser.click(f"{TABLE} a")
    eventually(lambda: browser.driver.current_url == f"{url}/view/{ASSET}")
    browser.wait()
    assert browser.find("h1").text == ASSET


def test_the_numbers_of_each_chart_can_be_taken_away(url: str, browser: Browser) -> None:
    browser.look(LOOKS[0])
    browser.open(f"{url}/view/{ASSET}")
    browser.draw_all()
    panels = browser.all(".panel")
    assert len(panels) == 8
    taken = browser.downloads
    for at, panel in enumerate(panels):
        if at == 4:
            time.sleep(1)  # of more than ten files in a second, Chromium drops the rest
        for button in panel.find_elements("css selector", ".take button"):
            assert button.is_enabled(), panel.text
            browser.run("arguments[0].scrollIntoView({block: 'center'})", button)
            button.click()
    names = {"forecast", "term-structure", "cone", "news-impact", "contributions", "roughness"}
    names |= {"performance", "losses"}
    wanted = {f"test-{name}.{kind}" for name in names for kind in ("csv", "png")}
    eventually(lambda: {it.name for it in taken.glob("test-*.???")} == wanted)
    for name in names:
        picture = (browser.downloads / f"test-{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert int.from_bytes(picture[16:20]) == 2000  # pixels wide
    table = list(csv.DictReader(io.StringIO((browser.downloads / "test-cone.csv").read_text())))
    with httpx.Client(base_url=url) as client:
        cone = client.get(f"/assets/{ASSET}/cone").json()
    assert [float(it["newest"]) for it in table] == [it["newest"] for it in cone["rows"]]


def test_what_an_asset_does_not_have_is_said_and_no_fault(url: str, browser: Browser) -> None:
    browser.look(LOOKS[0])
    browser.open(f"{url}/view/{OTHERS[0]}")  # of 60 sessions, and without a model of its own
    browser.draw_all()
    assert browser.all("main .problem") == []
    told = {it.text for it in browser.all(".panel .chart.empty")}
    assert "A Hurst exponent needs 125 sessions; got 60" in told
    assert any(it.startswith(f"There is no asset '{OTHERS[0]}' with models") for it in told)
    browser.open(f"{url}/view/NOBODY")
    assert browser.find("#summary").text == "This service holds no bars of NOBODY."
    assert browser.all(".panel") == []


def test_a_choice_without_numbers_shows_none_of_another(url: str, browser: Browser) -> None:
    browser.look(LOOKS[0])
    browser.open(f"{url}/view/{ASSET}")
    browser.draw_all()
    [panel] = [it for it in browser.all(".panel") if it.text.startswith("Live performance")]
    one, five, _ = panel.find_elements("css selector", ".choose button")
    take = panel.find_elements("css selector", ".take button")
    browser.run("arguments[0].querySelector('details').open = true", panel)
    assert "log_har 1" in panel.find_element("css selector", "table").text
    browser.run("arguments[0].click()", five)  # so far ahead nothing was forecast
    eventually(lambda: "No live forecast" in panel.text)
    assert "log_har" not in panel.text
    assert panel.find_elements("css selector", "table, svg") == []
    assert not any(it.is_enabled() for it in take)
    browser.run("arguments[0].click()", one)
    browser.draw_all()
    eventually(lambda: all(it.is_enabled() for it in take))
    assert "log_har 1" in panel.find_element("css selector", ".chart svg").text
    assert "No live forecast" not in panel.text
    assert browser.complaints() == []


def test_the_theme_is_switched_and_kept(url: str, browser: Browser) -> None:
    browser.look(LOOKS[0])
    browser.open(url)
    browser.click("#theme")
    assert browser.run(THEME) == "dark"
    browser.open(f"{url}/try")
    assert browser.run(THEME) == "dark"
    browser.click("#theme")
    browser.run("localStorage.clear()")


def test_a_series_that_is_pasted_is_forecast(url: str, browser: Browser) -> None:
    browser.look(LOOKS[0])
    browser.open(f"{url}/try")
    browser.run("document.getElementById('bars').value = arguments[0]", CSV.replace("high", "top"))
    browser.click("#go")
    eventually(lambda: bool(browser.all("#problems .problem")))
    assert "high" in browser.find("#problems .problem").text
    browser.run("document.getElementById('bars').value = arguments[0]", CSV)
    browser.click("#go")
    eventually(lambda: len(browser.all(".panel")) == 6)
    browser.wait()
    bars = {"bars": json_bars(PASTED)}
    asked = {"model": "universal", "calendar": "24/7", "history": bars}
    with httpx.Client(base_url=url) as client:
        said = client.post("/forecast", json=asked).json()
    assert f"{said['volatility_annualized']:.1%}" in browser.find("#figures").text
    assert "200 sessions" in browser.find("#summary").text
    assert browser.all("#problems .problem") == []


def test_a_file_is_chosen(url: str, browser: Browser, tmp_path: Path) -> None:
    browser.open(f"{url}/try")
    (tmp_path / "mine.csv").write_text(CSV)
    browser.find("#file").send_keys(str(tmp_path / "mine.csv"))
    eventually(lambda: bool(browser.all(".panel h2")))
    assert "of mine" in browser.find(".panel h2").text
    browser.wait()


def test_a_file_that_is_answered_late_does_not_take_the_place_of_a_newer_one(
    url: str, browser: Browser, tmp_path: Path
) -> None:
    browser.look(LOOKS[0])
    browser.open(f"{url}/try")
    browser.run(HOLD)
    lines = CSV.splitlines(keepends=True)
    (tmp_path / "older.csv").write_text(CSV)
    (tmp_path / "newer.csv").write_text("".join([lines[0], *lines[-60:]]))
    for name in ("older", "newer"):
        browser.find("#file").send_keys(str(tmp_path / f"{name}.csv"))
    eventually(lambda: "60 sessions" in browser.find("#summary").text)
    browser.wait()
    told = browser.find("#summary").text, browser.find("#figures").text
    browser.run("window.release()")
    eventually(lambda: bool(browser.run("return window.released")))
    assert (browser.find("#summary").text, browser.find("#figures").text) == told
    assert "of newer" in browser.find(".panel h2").text
    assert len(browser.all(".panel")) == 6


def test_a_large_file_is_sent_without_being_shown(
    url: str, browser: Browser, tmp_path: Path
) -> None:
    browser.open(f"{url}/try")
    header, *lines = CSV.splitlines()
    wide = [f"{header},note", *(f"{line},{'-' * 11_000}" for line in lines)]
    (tmp_path / "large.csv").write_text("\n".join(wide))
    browser.find("#file").send_keys(str(tmp_path / "large.csv"))
    eventually(lambda: "200 sessions" in browser.find("#summary").text)
    assert browser.find("#bars").get_attribute("value") == ""
    browser.wait()


def test_a_key_is_asked_for_and_kept_for_the_session_alone(
    settings: Settings, browser: Browser
) -> None:
    with_keys = settings.model_copy(update={"authentication": "keys"})
    history = HistoryStore(settings.database_url)
    record, key = make_key("desk", ("forecast",), 0)
    KeyStore(history.database).add(record)
    history.close()
    with answering(with_keys, SetClock(NOW + LIVE * DAY)) as url:
        browser.driver.get(url)
        eventually(lambda: bool(browser.all("#api-key")))
        assert browser.violations() == []
        browser.find("#api-key").send_keys("rc_wrong\n")
        eventually(lambda: "does not do" in browser.find("#key").text)
        browser.find("#api-key").send_keys(key)
        browser.click("#key button")
        browser.wait()
        assert len(browser.all(TABLE)) == 100
        assert browser.run("return [...Object.values(sessionStorage)]") == [key]
        assert browser.run("return localStorage.length + document.cookie.length") == 0
        browser.click("#forget-key")
        eventually(lambda: bool(browser.all("#api-key")))
        assert browser.run("return sessionStorage.length") == 0
