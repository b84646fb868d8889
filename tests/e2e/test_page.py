"""The operators' page in a real browser over a really running historian."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

STEEL_DAY = "#point=steel.import.energy&date=2018-11-22&compare=-1d,-7d"
HOLED_POINT = "e2e.holed.energy"
HOLED_DAY = "2026-01-15"
HOLE = range(30, 42)  # slots never sent
LONELY = 44  # its neighbours are missing too
SUSPECT = range(60, 62)
ESTIMATED = range(70, 74)
DRAWN_WITHIN_MS = 200  # the chart draws in a frame of its own, which nothing in the document tells

# How much of the columns between two slots carries the ink of the day's own line.
INK_SHARE = """([first, end]) => {
  const canvas = document.querySelector("#chart canvas");
  const over = document.querySelector("#chart .u-over").getBoundingClientRect();
  const frame = canvas.getBoundingClientRect();
  const ratio = canvas.width / frame.width;
  const at = (slot) => Math.round((over.left - frame.left + over.width * slot / 96) * ratio);
  const [left, top] = [at(first), Math.round((over.top - frame.top) * ratio)];
  const [width, height] = [at(end) - left, Math.round(over.height * ratio)];
  const pixels = canvas.getContext("2d").getImageData(left, top, width, height).data;
  const isInk = (i) => Math.abs(pixels[i] - 27) < 12 && Math.abs(pixels[i + 1] - 66) < 12 && Math.abs(pixels[i + 2] - 101) < 12;
  let inked = 0;
  for (let x = 0; x < width; x += 1) {
    for (let y = 0; y < height; y += 1) if (isInk(4 * (y * width + x))) { inked += 1; break; }
  }
  return inked / width;
}"""

OpenPage = Callable[..., Page]


def figure(page: Page, name: str) -> Any:
    return expect(page.locator(f"[data-figure={name}]"))


@pytest.fixture(scope="module")
def holed_point(historian: Any) -> str:
    """A day sent through the API with a hole, a lonely sample, doubtful and estimated ones."""
    definition = {
        "unit": "kWh",
        "kind": "interval",
        "interval": "15m",
        "label": "period_start",
        "station": "e2e",
    }
    historian.send("PUT", f"points/{HOLED_POINT}", definition | {"time_zone": "Asia/Shanghai"})
    missing = {*HOLE, LONELY - 1, LONELY + 1}
    midnight = datetime.fromisoformat(HOLED_DAY).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    slots = [slot for slot in range(96) if slot not in missing]
    series = {
        "point": HOLED_POINT,
        "times": [(midnight + timedelta(minutes=15 * slot)).isoformat() for slot in slots],
        "values": [20 + 10 * (slot % 7) for slot in slots],
        "quality": ["suspect" if slot in SUSPECT else 4 if slot in ESTIMATED else "good" for slot in slots],
    }
    reply = historian.send("POST", "ingest", {"series": [series]})
    assert reply["accepted"] == len(slots), reply
    return HOLED_POINT


# ── the figures of a day, month and year ────────────────────────────────────────────────────────────────────


def test_steel_maximum_is_shown_with_its_period(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    figure(page, "max").to_contain_text("628.72")
    figure(page, "max").to_contain_text("kW")
    figure(page, "max").to_contain_text("09:30–09:45")


def test_every_figure_of_the_day_carries_value_and_unit(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    figure(page, "min").to_contain_text(re.compile(r"12\.24\s*kW"))
    figure(page, "difference").to_contain_text(re.compile(r"616\.48\s*kW"))
    figure(page, "rate").to_contain_text("98.05 %")
    figure(page, "load_factor").to_contain_text("28.37 %")
    figure(page, "mean").to_contain_text(re.compile(r"178\.3[78]\d*\s*kW"))
    figure(page, "energy").to_contain_text(re.compile(r"4,281\.03\s*kWh"))
    figure(page, "completeness").to_contain_text("100 %")


def test_slots_are_labelled_by_their_end_as_the_server_says(visit: OpenPage) -> None:
    page = visit(STEEL_DAY + "&view=table")
    rows = page.locator("#table tbody tr")
    expect(rows).to_have_count(96)
    expect(rows.nth(38)).to_contain_text("09:30–09:45")
    expect(rows.nth(38)).to_contain_text("628.72")
    expect(rows.nth(95)).to_contain_text("23:45–24:00")


# What the chart writes, with its place: canvas text is nowhere in the document.
RECORD_TEXTS = """() => {
  window.written = [];
  const fillText = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    window.written.push({ text, left: x - this.measureText(text).width / 2, right: x + this.measureText(text).width / 2, y });
    return fillText.apply(this, arguments);
  };
}"""


@pytest.fixture(scope="module")
def autumn_point(historian: Any) -> str:
    """A point of the day on which clocks go back: 100 slots."""
    definition = {"unit": "kWh", "kind": "interval", "interval": "15m", "label": "period_start"}
    historian.send("PUT", "points/e2e.autumn", definition | {"time_zone": "Europe/Berlin"})
    midnight = datetime(2025, 10, 26, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    times = [int(midnight + 900 * slot) * 1000 for slot in range(100)]
    historian.send(
        "POST", "ingest", {"series": [{"point": "e2e.autumn", "times": times, "values": [1] * 100}]}
    )
    return "e2e.autumn"


@pytest.mark.parametrize("width", [1366, 1920])
def test_the_hour_that_autumn_repeats_leaves_the_axis_readable(
    visit: OpenPage, autumn_point: str, width: int
) -> None:
    page = visit("", width=width)
    page.evaluate(f"({RECORD_TEXTS})()")
    page.evaluate(f"location.hash = 'point={autumn_point}&date=2025-10-26'")
    figure(page, "mean").to_contain_text("100 of 100")
    page.wait_for_timeout(DRAWN_WITHIN_MS)
    written = page.evaluate("window.written")
    bottom = max(entry["y"] for entry in written if re.fullmatch(r"24:00", entry["text"]))
    clocks = {entry["left"]: entry for entry in written if entry["y"] == bottom}
    row = [clocks[left] for left in sorted(clocks)]
    assert all(re.fullmatch(r"\d\d:00", entry["text"]) for entry in row), row
    assert all(before["right"] <= after["left"] for before, after in pairwise(row)), row


def test_month_bars_add_up_to_november(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    expect(page.locator("#month button[data-value]")).to_have_count(30)
    expect(page.locator("#month_total")).to_contain_text("86,217.61 kWh")


def test_year_has_twelve_bars(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    expect(page.locator("#year button[data-value]")).to_have_count(12)
    expect(page.locator("#year_total")).to_contain_text("959,636.71 kWh")
    page.locator("#year button").nth(10).hover()
    expect(page.locator("#year_total")).to_contain_text("86,217.61 kWh")


def test_bars_are_as_high_as_their_values(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    expect(page.locator("#year button[data-value]")).to_have_count(12)
    heights = page.eval_on_selector_all(
        "#year button[data-value]",
        "all => all.map(one => one.querySelector('.bar').getBoundingClientRect().height / one.dataset.value)",
    )
    assert max(heights) < 1.03 * min(heights)
    tallest = page.locator("#year button[data-value]").first.locator(".bar").bounding_box()
    assert tallest is not None
    assert tallest["height"] > 60


def test_pressing_a_bar_opens_its_day(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    page.locator("#month button[data-key='2018-11-05']").click()
    expect(page.locator("#curve_title")).to_contain_text("2018-11-05")
    expect(page).to_have_url(re.compile("date=2018-11-05"))


# ── choosing ────────────────────────────────────────────────────────────────────────────────────────────────


def test_page_opens_on_the_newest_day_that_has_data_and_says_so(visit: OpenPage) -> None:
    page = visit("#point=steel.import.energy")
    expect(page.locator("#curve_title")).to_contain_text("2018-12-31")
    expect(page.locator("#day_note")).to_contain_text("No data for today")


def test_an_empty_day_leads_to_the_newest(visit: OpenPage) -> None:
    page = visit("#point=steel.import.energy&date=2020-02-02")
    expect(page.locator("#day_note")).to_contain_text("No data on 2020-02-02")
    page.locator("#day_note button").click()
    expect(page.locator("#curve_title")).to_contain_text("2018-12-31")


def test_days_are_stepped_and_typed(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    title = page.locator("#curve_title")
    expect(title).to_contain_text("2018-11-22")  # nothing can be stepped before it is shown
    page.locator("[data-step='-1']").click()
    expect(title).to_contain_text("2018-11-21")
    page.locator("[data-step='1']").click()
    expect(title).to_contain_text("2018-11-22")
    page.keyboard.press("PageDown")
    expect(title).to_contain_text("2018-11-23")
    page.locator("#date").fill("2018-03-01")
    page.keyboard.press("Enter")
    expect(title).to_contain_text("2018-03-01")
    page.go_back()
    expect(title).to_contain_text("2018-11-23")


def test_a_day_that_is_none_is_refused_in_words(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    expect(page.locator("#curve_title")).to_contain_text("2018-11-22")
    page.locator("#date").fill("2018-02-30")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("2018-02-30")
    expect(page.locator("#curve_title")).to_contain_text("2018-11-22")


def test_points_are_searched_and_chosen_by_keyboard(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    page.locator("#chart").focus()
    page.keyboard.press("/")
    page.keyboard.type("steel.reactive")
    expect(page.locator("#points button")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_contain_text("steel.reactive")


def test_a_station_narrows_the_list(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    page.locator("#stations [data-station=demo110]").click()
    expect(page.locator("#points [data-point^=steel]")).to_have_count(0)
    expect(page.locator("#points [data-point^='demo110.']").first).to_be_visible()


# ── the curve ───────────────────────────────────────────────────────────────────────────────────────────────


def test_overlays_lie_slot_on_slot_and_can_be_switched(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    expect(page.locator("#chart canvas")).to_be_visible()
    page.locator("#chart").focus()
    for _ in range(39):
        page.keyboard.press("ArrowRight")
    legend = page.locator("#legend")
    expect(legend.locator(".where")).to_contain_text("09:30–09:45")
    expect(legend).to_contain_text("628.72 kW")
    expect(legend).to_contain_text("2018-11-21")
    expect(legend).to_contain_text("2018-11-15")
    legend.locator("[data-overlay='-7d']").uncheck()
    expect(page).to_have_url(re.compile(r"compare=-1d(&|$)"))
    page.reload()
    expect(legend.locator("[data-overlay='-7d']")).not_to_be_checked()
    expect(legend.locator("[data-overlay='-1d']")).to_be_checked()


def test_a_hole_is_a_break_in_the_line(visit: OpenPage, holed_point: str) -> None:
    page = visit(f"#point={holed_point}&date={HOLED_DAY}&compare=")
    expect(page.locator("#states")).to_contain_text("missing 14")
    assert page.evaluate(INK_SHARE, [HOLE.start + 0.4, HOLE.stop + 0.6]) == 0
    assert page.evaluate(INK_SHARE, [2, 28]) > 0.95


def test_a_lonely_sample_is_a_dot(visit: OpenPage, holed_point: str) -> None:
    page = visit(f"#point={holed_point}&date={HOLED_DAY}&compare=")
    expect(page.locator("#states")).to_contain_text("missing")
    around = page.evaluate(INK_SHARE, [LONELY + 0.5, LONELY + 1.5])
    assert 0.2 < around <= 1, "the dot stands at the end of its slot"
    assert page.evaluate(INK_SHARE, [LONELY + 1.6, LONELY + 2.8]) == 0


def test_a_gap_names_its_time_count_and_cause(visit: OpenPage, holed_point: str) -> None:
    page = visit(f"#point={holed_point}&date={HOLED_DAY}")
    first = page.locator("#gaps li").first
    expect(first).to_contain_text("07:30–10:30")
    expect(first).to_contain_text("12")
    expect(first.locator(".cause")).to_have_text(re.compile(r"\w+"))
    figure(page, "completeness").to_contain_text("14 of 96 missing")


def test_zoom_outlives_a_refresh_and_ends_with_the_day(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    figure(page, "max").to_contain_text("628.72")
    page.wait_for_timeout(DRAWN_WITHIN_MS)
    assert page.evaluate(INK_SHARE, [0, 0.8]) == 0, "the first value stands at the end of the first slot"
    zoom(page)
    assert page.evaluate(INK_SHARE, [0, 0.8]) > 0.9, "zoomed: the line reaches the left edge"
    page.locator("[data-language=zh]").click()  # draws the same curve again
    page.wait_for_timeout(DRAWN_WITHIN_MS)
    assert page.evaluate(INK_SHARE, [0, 0.8]) > 0.9
    page.locator("[data-step='-1']").click()
    expect(page.locator("#curve_title")).to_contain_text("2018-11-21")
    page.wait_for_timeout(DRAWN_WITHIN_MS)
    assert page.evaluate(INK_SHARE, [0, 0.8]) == 0


def test_a_double_click_ends_the_zoom(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    figure(page, "max").to_contain_text("628.72")
    zoom(page)
    page.locator("#chart .u-over").dblclick(position={"x": 200, "y": 50})
    page.wait_for_timeout(DRAWN_WITHIN_MS)
    assert page.evaluate(INK_SHARE, [0, 0.8]) == 0


def zoom(page: Page) -> None:
    """Drag over the third to the half of the day."""
    box = page.locator("#chart .u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_timeout(DRAWN_WITHIN_MS)


def test_what_is_not_measured_is_named_in_words(visit: OpenPage, holed_point: str) -> None:
    page = visit(f"#point={holed_point}&date={HOLED_DAY}&view=table")
    rows = page.locator("#table tbody tr")
    expect(rows.nth(HOLE.start)).to_contain_text("missing")
    expect(rows.nth(SUSPECT.start)).to_contain_text("suspect")
    expect(rows.nth(ESTIMATED.start)).to_contain_text("estimated")


def test_the_table_is_copied_for_a_spreadsheet(visit: OpenPage) -> None:
    page = visit(STEEL_DAY + "&view=table")
    page.locator("#copy").click()
    expect(page.locator("#copy")).to_contain_text("96")
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert len(lines) == 97
    assert "\t628.72\t" in lines[39]


def test_the_csv_link_gives_the_same_day(visit: OpenPage) -> None:
    page = visit(STEEL_DAY + "&view=table")
    with page.expect_download() as download:
        page.locator("#csv").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert "628.72" in text
    assert len(text.splitlines()) == 97


# ── live ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pure_number_has_no_unit_beside_it(visit: OpenPage, historian: Any) -> None:
    historian.send(
        "PUT", "points/e2e.ratio", {"unit": "1", "kind": "ratio", "station": "e2e.single", "interval": "1h"}
    )
    sample = {"point": "e2e.ratio", "times": ["2026-01-15T00:00:00Z"], "values": [0.5]}
    historian.send("POST", "ingest", {"series": [sample]})
    page = visit("#point=e2e.ratio")
    expect(page.locator("[data-point='e2e.ratio'] .newest")).to_have_text("0.5 ")
    expect(page.locator("[data-station='e2e.single']")).to_contain_text("1 point ·")


def test_live_feeder_values_appear(visit: OpenPage) -> None:
    page = visit("")
    feeder = page.locator("#points [data-point^='demo110.f101'] .newest").first
    expect(feeder).to_have_text(re.compile(r"\d"), timeout=60_000)


def test_old_values_look_stale(visit: OpenPage) -> None:
    page = visit("")
    row = page.locator("#points [data-point='steel.import.energy']")
    expect(row).to_have_class(re.compile("stale"))
    expect(row).to_contain_text("stale")


def test_drivers_tell_their_state(visit: OpenPage) -> None:
    page = visit("")
    expect(page.locator("#drivers [data-driver][data-state=running]")).to_have_count(2, timeout=60_000)
    expect(page.locator("#drivers")).to_contain_text("running")


# ── language, size, faults ──────────────────────────────────────────────────────────────────────────────────


def test_language_follows_the_browser_then_the_switch_and_is_remembered(visit: OpenPage) -> None:
    page = visit("#point=steel.import.energy&date=2018-11-22", language="zh-CN")
    figure(page, "max").to_contain_text("最大值")
    page.locator("[data-language=en]").click()
    figure(page, "max").to_contain_text("Maximum")
    figure(page, "max").to_contain_text("628.72")
    page.goto(page.url.split("#")[0])
    expect(page.locator("html")).to_have_attribute("lang", "en-GB")


def test_both_languages_have_the_same_words(visit: OpenPage) -> None:
    page = visit("")
    keys = page.evaluate(
        """async () => {
          const [en, zh] = await Promise.all([import("/static/words_en.js"), import("/static/words_zh.js")]);
          return [Object.keys(en.EN).sort(), Object.keys(zh.ZH).sort()];
        }"""
    )
    assert keys[0] == keys[1]


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)], ids=["laptop", "wall"])
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_everything_fits_the_screen(visit: OpenPage, language: str, width: int, height: int) -> None:
    page = visit(STEEL_DAY, language=language, width=width, height=height)
    figure(page, "max").to_contain_text("628.72")
    for part in ("#figures", "#chart", "#month", "#year", "#gaps"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height, part
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_search_without_result_is_told_apart_from_an_empty_store(visit: OpenPage) -> None:
    page = visit(STEEL_DAY)
    page.locator("#search").fill("no such point")
    expect(page.locator("#points_note")).to_have_text("No point matches.")
    page.route("**/api/v1/points?*", lambda route: route.fulfill(json={"points": [], "count": 0}))
    page.locator("#search").fill("")
    expect(page.locator("#points_note")).to_contain_text("No points yet")


def test_an_unknown_point_is_told_in_the_servers_words(visit: OpenPage) -> None:
    page = visit("#point=no.such.point", tolerated="404")
    expect(page.locator("#notices")).to_contain_text("no.such.point")
    expect(page.locator("#points button").first).to_be_visible()


def test_a_lost_connection_is_told_and_mends_itself(visit: OpenPage) -> None:
    page = visit(STEEL_DAY, tolerated="ERR_FAILED")
    figure(page, "max").to_contain_text("628.72")
    page.route("**/api/v1/**", lambda route: route.abort())
    expect(page.locator("#notices")).to_contain_text("No connection", timeout=20_000)
    figure(page, "max").to_contain_text("628.72")
    page.unroute("**/api/v1/**")
    expect(page.locator("#notices")).to_be_empty(timeout=20_000)


def test_without_the_chart_library_the_table_still_works(visit: OpenPage) -> None:
    page = visit("", tolerated="404|dynamically imported module")
    page.route("**/static/vendor/uPlot.esm.js", lambda route: route.fulfill(status=404))
    page.goto(page.url.split("#")[0] + STEEL_DAY)
    page.reload()
    expect(page.locator("#notices")).to_contain_text("make web")
    expect(page.locator("#table tbody tr")).to_have_count(96)


def test_the_policy_allows_no_inline_script(visit: OpenPage) -> None:
    page = visit("")
    policy = page.request.get(page.url.split("#")[0]).headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self'" in policy or "default-src 'self'" in policy
