// Starts the page and holds the operator's choice; every change of it goes through `choose`.

import { addDays, dayCount, dayOf } from "/static/days.js";
import { showPickedDay, wireDayPicker } from "/static/day_picker.js";
import { DayView } from "/static/day_view.js";
import { byId } from "/static/dom.js";
import { showDrivers } from "/static/driver_strip.js";
import { clockText } from "/static/format.js";
import { showDayNote, showTitle } from "/static/heading.js";
import { isKnown } from "/static/login.js";
import { language, setLanguage, translatePage } from "/static/i18n.js";
import { clearNotice, reportFailure } from "/static/notices.js";
import { OVERLAYS } from "/static/overlays.js";
import { getPoint, latestOf, listDrivers } from "/static/resources.js";
import { SideView } from "/static/side_view.js";
import { readChoice, rememberedPoint, writeChoice } from "/static/state.js";

const NEWEST_EVERY_MS = 5_000;
const LIVE_DAY_EVERY_MS = 15_000;
const ENERGY_KINDS = new Set(["interval", "mean_power"]);

const choice = { point: null, date: null, station: null, view: "curve", overlays: OVERLAYS, language: language() };
const side = new SideView({ onPoint: (point) => choose({ point, date: null }), onStation: chooseStation });
const day = new DayView({ onOverlays: (overlays) => redraw({ overlays }), onDay: (date) => choose({ date }) });

let point = null; // the chosen point as the server describes it
let newestMs = null; // its newest sample
let shownDay = null;
let drivers = [];
let dayLoadedMs = 0;
let turn = 0;

async function start() {
  adoptAddress();
  translatePage();
  if (!(await isKnown())) return;
  wire();
  await Promise.all([day.open(), side.load(choice.station), refreshDrivers()]);
  await choose({}, false);
  tick();
  setInterval(tick, 1_000);
  keepFresh();
}

/** Changes the choice and loads what it names; a later call overtakes one still waiting. */
async function choose(changes, isNewPlace = true) {
  Object.assign(choice, changes);
  choice.point ??= firstPoint();
  if (choice.point === null) return;
  turn += 1;
  const mine = turn;
  try {
    const found = await getPoint(choice.point);
    const newest = await latestOf([found.name]);
    if (mine !== turn) return;
    point = found;
    choice.point = found.name;
    newestMs = newest.get(found.name)?.timeMs ?? null;
    clearNotice("point");
  } catch (error) {
    if (mine === turn) reportFailure("point", error);
    return;
  }
  writeChoice(choice, isNewPlace);
  await loadDay();
}

/** Changes how the same data are shown. */
function redraw(changes) {
  Object.assign(choice, changes);
  writeChoice(choice, false);
  render();
}

async function chooseStation(station) {
  choice.station = station;
  writeChoice(choice, false);
  await side.load(station);
}

/** The point looked at last, else the first that carries energy or power, else the first. */
function firstPoint() {
  const remembered = side.points.find((one) => one.name === rememberedPoint());
  const telling = side.points.find((one) => ENERGY_KINDS.has(one.kind));
  return (remembered ?? telling ?? side.points[0])?.name ?? null;
}

async function loadDay() {
  const newestDay = newestMs === null ? null : dayOf(newestMs, point.time_zone);
  const wanted = choice.date ?? newestDay ?? today();
  shownDay = wanted;
  side.choose(point.name);
  showTitle(point);
  showPickedDay(wanted, dayCount(wanted, today()));
  dayLoadedMs = Date.now();
  await day.load(point, wanted);
  if (shownDay === wanted) render();
}

function render() {
  if (point === null) return;
  const newestDay = newestMs === null ? null : dayOf(newestMs, point.time_zone);
  document.body.classList.toggle("live", shownDay === today());
  for (const button of document.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === choice.view));
  }
  showTitle(point);
  showDayNote({ day: shownDay, today: today(), newestDay, isChosen: choice.date !== null, isEmpty: day.isEmpty },
    () => choose({ date: null }));
  day.render(choice);
}

function today() {
  return dayOf(Date.now(), point.time_zone);
}

function step(count) {
  if (shownDay !== null) choose({ date: addDays(shownDay, count) });
}

async function refreshDrivers() {
  try {
    drivers = await listDrivers();
    clearNotice("drivers");
  } catch (error) {
    reportFailure("drivers", error);
  }
}

/** Newest values every few seconds; the day itself while it is today's, or when newer data come in. */
async function keepFresh() {
  if (!document.hidden) {
    await Promise.all([side.refresh(), refreshDrivers()]);
    if (point !== null && Date.now() - dayLoadedMs >= LIVE_DAY_EVERY_MS) await refreshDay();
    else if (point === null) await choose({}, false);
  }
  setTimeout(keepFresh, NEWEST_EVERY_MS);
}

async function refreshDay() {
  if (choice.date === null) await choose({}, false);
  else if (shownDay === today()) await loadDay();
}

function tick() {
  showDrivers(drivers, Date.now());
  if (point !== null) byId("clock").textContent = `${clockText(Date.now(), point.time_zone, true)} ${point.time_zone}`;
}

function adoptAddress() {
  const wanted = readChoice();
  if (wanted.language !== null) setLanguage(wanted.language);
  Object.assign(choice, wanted, { language: language(), overlays: wanted.overlays ?? OVERLAYS });
}

/** The back button: the address names another place. */
function returnTo() {
  adoptAddress();
  translatePage();
  side.load(choice.station);
  choose({}, false);
}

function changeLanguage(wanted) {
  setLanguage(wanted);
  translatePage();
  side.render();
  tick();
  redraw({ language: language() });
}

function wire() {
  wireDayPicker({
    onDay: (date) => choose({ date }),
    onStep: step,
    onDaysAgo: (count) => point && choose({ date: addDays(today(), -count) }),
  });
  on("[data-view]", (button) => redraw({ view: button.dataset.view }));
  on("[data-language]", (button) => changeLanguage(button.dataset.language));
  addEventListener("popstate", returnTo);
  addEventListener("keydown", byKey);
  addEventListener("unhandledrejection", (event) => reportFailure("page", event.reason));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
}

function on(selector, act) {
  for (const button of document.querySelectorAll(selector)) button.addEventListener("click", () => act(button));
}

function byKey(event) {
  const isTyping = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    byId("search").focus();
  } else if ((event.key === "PageUp" || event.key === "PageDown") && !event.target.closest?.(".table_scroll, .side")) {
    event.preventDefault();
    step(event.key === "PageUp" ? -1 : 1);
  }
}

start().catch((error) => reportFailure("page", error));
