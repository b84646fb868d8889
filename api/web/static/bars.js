// A bar chart whose bars are buttons: hover or focus reads a bar, pressing it leads to its day or month.
// A bar is {key, label, value (null: nothing there), isPartial, isChosen, text (for the reader)}.

import { element } from "/static/dom.js";
import { isNumber, number } from "/static/format.js";

const TICKS_WANTED = 3;
const LABELS_MAX = 16;

/** Draws `bars` into `host`. `onRead(text or null)` follows hover and focus, `onChoose(key)` a press. */
export function showBars(host, bars, onRead, onChoose) {
  const scale = valueScale(bars.map((bar) => bar.value).filter(isNumber));
  const buttons = bars.map((bar) => barButton(bar, scale, onRead, onChoose));
  const row = element("div", { class: "bar_row", keydown: (event) => moveFocus(event, buttons) }, ...buttons);
  const held = [...host.querySelectorAll("button")].indexOf(document.activeElement);
  host.replaceChildren(
    element("div", { class: "bar_plot" }, ...scale.ticks.map((tick) => gridLine(tick, scale)), row),
    element("div", { class: "bar_labels", "aria-hidden": "true" }, ...labels(bars)),
  );
  (buttons.find((_, index) => bars[index].isChosen) ?? buttons[0])?.setAttribute("tabindex", "0");
  if (held >= 0) buttons[held]?.focus();
}

function barButton(bar, scale, onRead, onChoose) {
  const read = () => onRead(bar.text);
  const leave = () => onRead(null);
  const button = element("button", {
    type: "button", class: "bar_slot", tabindex: "-1", "aria-label": bar.text, "data-key": bar.key,
    "data-value": bar.value, "aria-current": bar.isChosen ? "date" : null,
    mouseenter: read, focus: read, mouseleave: leave, blur: leave, click: () => onChoose(bar.key),
  });
  if (!isNumber(bar.value)) {
    button.append(element("span", { class: "bar_none" }, "×"));
    return button;
  }
  const fill = element("span", { class: bar.isPartial ? "bar partial" : "bar" });
  const low = scale.place(Math.min(0, bar.value));
  fill.style.bottom = `${low}%`;
  fill.style.height = `${scale.place(Math.max(0, bar.value)) - low}%`;
  button.append(fill);
  return button;
}

function gridLine(tick, scale) {
  const line = element("span", { class: "bar_grid", "aria-hidden": "true" }, element("span", {}, number(tick)));
  line.style.bottom = `${scale.place(tick)}%`;
  return line;
}

/** The first label and then every second or so, as many as are readable. */
function labels(bars) {
  const step = Math.ceil(bars.length / LABELS_MAX);
  return bars.map((bar, index) => element("span", {}, index % step === 0 ? bar.label : ""));
}

function moveFocus(event, buttons) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const index = buttons.indexOf(document.activeElement);
  if (step === undefined || index < 0) return;
  event.preventDefault();
  buttons[Math.min(buttons.length - 1, Math.max(0, index + step))].focus();
}

/** Round ticks over zero and the values; `place` gives the height in percent. */
function valueScale(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const step = roundStep((high - low) / TICKS_WANTED || 1);
  const bottom = Math.floor(low / step) * step;
  const top = Math.max(Math.ceil(high / step), 1) * step;
  const ticks = [];
  for (let index = 0; bottom + index * step <= top + step / 2; index += 1) ticks.push(bottom + index * step);
  return { ticks, place: (value) => ((value - bottom) / (top - bottom)) * 100 };
}

/** The next 1, 2 or 5 times a power of ten. */
function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((one) => one * power >= rough * 0.999) * power;
}
