// Two panels of rollups: the days of the shown month and the months of the shown year.

import { showBars } from "/static/bars.js";
import { byId } from "/static/dom.js";
import { addDays, dayCount, dayOf, monthSpan, yearSpan } from "/static/days.js";
import { dayText, isNumber, momentText, quantity, share } from "/static/format.js";
import { totalWord } from "/static/figures.js";
import { words } from "/static/i18n.js";

const WHOLE = new Set(["complete", "final"]);

/** The days of the month of `day`; `onChoose(day)` is called for the bar pressed. */
export function showMonth(rows, day, timeZone, onChoose) {
  const [first, next] = monthSpan(day);
  const days = Array.from({ length: dayCount(first, next) }, (_, index) => addDays(first, index));
  const periods = days.map((key) => ({ key, label: String(Number(key.slice(8))), name: dayText(key) }));
  show("month", rows, periods, day, timeZone, onChoose, { month: first.slice(0, 7) });
}

/** The months of the year of `day`; `onChoose(first day)` is called for the bar pressed. */
export function showYear(rows, day, timeZone, onChoose) {
  const year = yearSpan(day)[0].slice(0, 4);
  const months = Array.from({ length: 12 }, (_, index) => `${year}-${String(index + 1).padStart(2, "0")}-01`);
  const periods = months.map((key, index) => ({ key, label: String(index + 1), name: key.slice(0, 7) }));
  show("year", rows, periods, monthSpan(day)[0], timeZone, onChoose, { year });
}

/** Empties both panels. */
export function clearRollups() {
  for (const id of ["month", "year"]) {
    for (const part of [id, `${id}_title`, `${id}_total`]) byId(part).replaceChildren();
  }
}

function show(id, rows, periods, chosen, timeZone, onChoose, names) {
  const figure = figureOf(rows);
  const byStart = new Map(rows.map((row) => [dayOf(row.startMs, timeZone), row]));
  const bars = periods.map(({ key, label, name }) => bar(byStart.get(key), key, label, name, chosen, timeZone, figure));
  const total = figure.isSum ? sum(bars) : null;
  const restText = isNumber(total) ? words("sum", { value: quantity(total, figure.unit) }) : figure.unit;
  byId(`${id}_title`).textContent = words(`${id}_title_${figure.isSum ? totalWord(figure.unit) : "mean"}`, names);
  byId(`${id}_total`).textContent = restText;
  showBars(byId(id), bars, (text) => { byId(`${id}_total`).textContent = text ?? restText; }, onChoose);
}

/** Which figure the bars show: energy where the point has one, else the mean. */
function figureOf(rows) {
  const withEnergy = rows.find((row) => isNumber(row.energy) && row.unit);
  if (withEnergy) return { isSum: true, unit: withEnergy.unit, of: (row) => row.energy };
  return { isSum: false, unit: rows[0]?.maxUnit ?? "", of: (row) => row.mean };
}

function bar(row, key, label, name, chosen, timeZone, figure) {
  const value = row ? figure.of(row) : null;
  const isPartial = row !== undefined && !WHOLE.has(row.state);
  return {
    key, label, isPartial, isChosen: key === chosen, value: isNumber(value) ? value : null,
    text: isNumber(value) ? barText(row, name, value, timeZone, figure.unit) : words("bar_none", { period: name }),
  };
}

function barText(row, name, value, timeZone, unit) {
  const parts = [words("bar_text", { period: name, value: quantity(value, unit) })];
  if (isNumber(row.max) && row.maxStartMs !== null) {
    const time = momentText(row.maxStartMs, timeZone);
    parts.push(words("bar_maximum", { value: quantity(row.max, row.maxUnit), time }));
  }
  if (isNumber(row.receivedShare) && row.receivedShare < 1) {
    parts.push(words("bar_coverage", { share: share(row.receivedShare, 1) }));
  }
  return parts.join(" · ");
}

function sum(bars) {
  const values = bars.map((one) => one.value).filter(isNumber);
  return values.length > 0 ? values.reduce((total, value) => total + value, 0) : null;
}
