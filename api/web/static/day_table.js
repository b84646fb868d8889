// The same slots as a table: to read, to copy into a spreadsheet, to download.

import { byId, element, replaceIfChanged } from "/static/dom.js";
import { decimalsOf, fixed, isNumber } from "/static/format.js";
import { slotText } from "/static/figures.js";
import { codeWords, words } from "/static/i18n.js";
import { clearNotice, showNotice } from "/static/notices.js";

const COPIED_SHOWN_MS = 3_000;

/** Shows the slots of `curve` with their `states` and the visible overlays; `csvAddress` is the download. */
export function showTable(curve, states, overlays, csvAddress) {
  const heads = headings(curve, overlays);
  const digits = [curve.slots.map((slot) => slot.value), ...overlays.map((one) => one.values)].map(decimalsOf);
  const rows = curve.slots.map((slot) => cells(curve, slot, states, overlays, digits));
  const host = byId("table");
  const scrolled = host.querySelector(".table_scroll")?.scrollTop ?? 0;
  const key = JSON.stringify([heads, rows, csvAddress]);
  replaceIfChanged(host, key, () => [actions(heads, rows, csvAddress), tableOf(heads, rows, states)]);
  host.querySelector(".table_scroll").scrollTop = scrolled;
}

function tableOf(heads, rows, states) {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((row, index) => element("tr", { "data-state": states[index] },
    ...row.map((cell) => element("td", {}, cell.shown))));
  return element("div", { class: "table_scroll", tabindex: "0" },
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

function headings(curve, overlays) {
  return [
    words("slot"), words("period"), `${curve.date} (${curve.unit})`, words("state"), words("samples"),
    ...overlays.map((one) => `${one.date} (${curve.unit})`),
  ];
}

function cells(curve, slot, states, overlays, digits) {
  const text = (value) => ({ shown: String(value), copied: String(value) });
  const figure = (value, column) => (
    { shown: fixed(value, digits[column]), copied: isNumber(value) ? String(value) : "" });
  return [
    text(slot.index + 1), text(slotText(curve, slot.index)), figure(slot.value, 0),
    text(codeWords("state", states[slot.index])), text(slot.count ?? ""),
    ...overlays.map((one, index) => figure(one.values[slot.index], index + 1)),
  ];
}

function actions(heads, rows, csvAddress) {
  const copy = () => copyRows([heads, ...rows.map((row) => row.map((cell) => cell.copied))]);
  return element("div", { class: "table_actions" },
    element("button", { type: "button", id: "copy", click: copy }, words("copy")),
    element("a", { href: csvAddress, id: "csv", download: true }, words("csv")));
}

async function copyRows(rows) {
  try {
    await navigator.clipboard.writeText(rows.map((row) => row.join("\t")).join("\n"));
    byId("copy").textContent = words("copied", { count: rows.length - 1 });
    setTimeout(() => { byId("copy").textContent = words("copy"); }, COPIED_SHOWN_MS);
    clearNotice("copy");
  } catch {
    showNotice("copy", words("copy_failed"));
  }
}
