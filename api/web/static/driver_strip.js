// One chip for each driver: state, age of its last data, last error. The abnormal stand first and carry colour.

import { byId, element, replaceIfChanged } from "/static/dom.js";
import { ageText } from "/static/format.js";
import { codeWords, language, words } from "/static/i18n.js";

const SHOWN_MAX = 8;
const CALM = new Set(["running", "connecting", "stopped"]);
const SIGNS = { running: "▶", connecting: "…", stopped: "■", waiting: "▲", failed: "▲" };

/** Shows the drivers as they are at `nowMs`. */
export function showDrivers(drivers, nowMs) {
  const sorted = [...drivers].sort((a, b) => CALM.has(a.state) - CALM.has(b.state));
  const shown = sorted.slice(0, SHOWN_MAX);
  const chips = shown.map((driver) => chipTexts(driver, nowMs));
  replaceIfChanged(byId("drivers"), JSON.stringify([language(), chips, drivers.length]), () => {
    if (drivers.length === 0) return [element("li", { class: "quiet" }, words("no_drivers"))];
    const items = chips.map(chip);
    if (drivers.length > shown.length) {
      items.push(element("li", { class: "quiet" }, words("more_drivers", { count: drivers.length - shown.length })));
    }
    return items;
  });
}

function chipTexts(driver, nowMs) {
  const isAbnormal = !CALM.has(driver.state);
  const age = driver.lastDataMs === null
    ? words("driver_no_data") : words("driver_data", { age: ageText((nowMs - driver.lastDataMs) / 1000) });
  return {
    name: driver.name,
    state: driver.state,
    text: codeWords("driver", driver.state),
    age,
    error: isAbnormal ? driver.lastError : "",
    hint: [
      words("driver_hint", { protocol: driver.protocol, address: driver.address, station: driver.station }),
      driver.lastError && words("driver_last_error", { error: driver.lastError }),
    ].filter(Boolean).join("\n"),
    isAbnormal,
  };
}

function chip(texts) {
  return element("li", {
    class: texts.isAbnormal ? "driver abnormal" : "driver", title: texts.hint,
    "data-driver": texts.name, "data-state": texts.state,
  },
  element("span", { class: "sign", "aria-hidden": "true" }, SIGNS[texts.state] ?? "?"),
  element("b", {}, texts.name),
  element("span", { class: "driver_state" }, texts.text),
  element("span", { class: "quiet" }, texts.age),
  texts.error ? element("span", { class: "driver_error" }, texts.error) : null);
}
