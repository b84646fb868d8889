// The left side: stations, one line each, and the points with their newest values. What is stale looks stale.

import { byId, element, replaceIfChanged } from "/static/dom.js";
import { ageText, number, unitText } from "/static/format.js";
import { language, words } from "/static/i18n.js";
import { POINTS_MAX } from "/static/resources.js";

/** Lists stations; `chosen` is a station, or null for all; `onChoose(station or null)`. */
export function showStations(stations, chosen, onChoose) {
  const rows = stations.map((station) => [station.station, stationNote(station), station.isStale]);
  replaceIfChanged(byId("stations"), JSON.stringify([language(), rows, chosen]), () => [
    stationItem(null, words("all_stations"), "", false, chosen, onChoose),
    ...stations.map((station) => stationItem(
      station.station, station.station || words("no_station"), stationNote(station), station.isStale, chosen, onChoose)),
  ]);
}

/** Lists points with their newest values by tag; `chosen` is the tag shown; `onChoose(tag)`. */
export function showPoints(points, latest, chosen, { isMore, isFiltered }, onChoose) {
  const rows = points.map((point) => pointTexts(point, latest.get(point.name)));
  replaceIfChanged(byId("points"), JSON.stringify([language(), rows, chosen]), () => {
    const focused = document.activeElement?.closest?.("#points button")?.dataset.point;
    const items = rows.map((row) => pointItem(row, row.name === chosen, onChoose));
    if (focused) queueMicrotask(() => document.querySelector(`#points [data-point="${CSS.escape(focused)}"]`)?.focus());
    return items;
  });
  byId("points_note").textContent = noteText(points.length, isMore, isFiltered);
}

/** The name of a point in the page's language, empty where it has none. */
export function nameOf(point) {
  return (language() === "zh" ? point.name_zh : point.name_en) || point.name_en || point.name_zh || "";
}

/** Up and down move through a list of buttons. */
export function moveInList(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (step === undefined) return;
  const buttons = [...byId("points").querySelectorAll("button")];
  const index = buttons.indexOf(document.activeElement);
  event.preventDefault();
  buttons[Math.min(buttons.length - 1, Math.max(0, index + step))]?.focus();
}

function stationNote(station) {
  const count = words(station.pointCount === 1 ? "station_point" : "station_points", { count: station.pointCount });
  if (station.ageS === null) return count;
  return `${count} · ${words(station.isStale ? "station_stale" : "station_age", { age: ageText(station.ageS) })}`;
}

function stationItem(station, name, note, isStale, chosen, onChoose) {
  return element("li", {}, element("button", {
    type: "button", class: isStale ? "row stale" : "row", "data-station": station ?? "*",
    "aria-pressed": String(station === chosen), click: () => onChoose(station),
  }, element("b", {}, name), element("span", { class: "quiet" }, note)));
}

function pointTexts(point, newest) {
  const hasData = newest !== undefined && newest.timeMs !== null;
  const isStale = hasData && newest.isStale;
  const age = hasData ? ageText(newest.ageS) : words("no_data_yet");
  return {
    name: point.name,
    title: nameOf(point),
    value: hasData ? number(newest.value) : words("none"),
    unit: unitText(point.unit),
    age: isStale ? `${words("stale")} · ${age}` : age,
    isStale: isStale || !hasData,
  };
}

function pointItem(row, isChosen, onChoose) {
  return element("li", {}, element("button", {
    type: "button", class: row.isStale ? "row stale" : "row", "data-point": row.name,
    "aria-pressed": String(isChosen), title: [row.name, row.title].filter(Boolean).join("\n"),
    click: () => onChoose(row.name),
  },
  element("b", { class: "tag" }, row.name),
  element("span", { class: "newest" }, row.value, " ", element("span", { class: "unit" }, row.unit)),
  element("span", { class: "quiet" }, row.title),
  element("span", { class: "quiet age" }, row.age)));
}

function noteText(count, isMore, isFiltered) {
  if (count === 0) return words(isFiltered ? "no_points" : "never_points");
  return isMore ? words("more_points", { count: POINTS_MAX }) : "";
}
