// The day curve: one uPlot chart over slot positions, so that overlaid days fall slot on slot whatever their dates.

import {
  canvasFont, drawExtreme, drawMissing, drawStateStrip, drawUnit, isolatedIndexes, stateRuns,
} from "/static/curve_marks.js";
import { number } from "/static/format.js";

const LIBRARY = "/static/vendor/uPlot.esm.js";
const AXIS_INK = "#4a545e";
const GRID = { stroke: "#d9dde0", width: 1 };
const MAIN_LINE = { stroke: "#1b4265", width: 2 };
const OVERLAY_LINES = [
  { stroke: "#6d7781", width: 1.4, dash: [7, 4] },
  { stroke: "#8a6d3f", width: 1.4, dash: [2, 3] },
];
const AXIS_SPACE = 44;

/** A chart in `host`; `onSlot(index or null)` is told which slot the cursor is on. Raises if the library is missing. */
export async function makeCurveChart(host, onSlot) {
  const { default: UPlot } = await import(LIBRARY);
  return new CurveChart(UPlot, host, onSlot);
}

class CurveChart {
  #UPlot;
  #host;
  #onSlot;
  #plot = null;
  #curve = null;
  #runs = [];
  #shape = "";
  #name = "";

  constructor(UPlot, host, onSlot) {
    this.#UPlot = UPlot;
    this.#host = host;
    this.#onSlot = onSlot;
    host.addEventListener("keydown", (event) => this.#readByKey(event));
    new ResizeObserver(() => this.#fit()).observe(host);
  }

  /**
   * Shows a curve; `states[i]` is the state of slot i, `visible[k]` whether overlay k is drawn. A curve of the same
   * `name` as before keeps the operator's zoom.
   */
  show(name, curve, states, visible) {
    this.#curve = curve;
    this.#runs = stateRuns(states);
    const data = [positions(curve), ...curve.overlays.map((one) => one.values), curve.slots.map((slot) => slot.value)];
    const shape = `${curve.slots.length} ${curve.overlays.length} ${curve.slots[0]?.label}`;
    const zoom = this.#zoomOf(name);
    if (this.#plot === null || shape !== this.#shape) this.#make(data);
    else this.#plot.setData(data);
    if (zoom !== null) this.#plot.setScale("x", zoom);
    this.#shape = shape;
    this.#name = name;
    visible.forEach((isVisible, index) => this.#plot.setSeries(index + 1, { show: isVisible }));
  }

  #make(data) {
    this.#plot?.destroy();
    this.#plot = new this.#UPlot({
      ...this.#size(),
      legend: { show: false },
      padding: [22, 24, 0, 0],
      cursor: { y: false, points: { size: 8 }, drag: { x: true, y: false, dist: 6 } },
      scales: {
        x: { time: false, range: (_, min, max) => this.#slotRange(min, max) },
        y: { range: (_, min, max) => valueRange(min, max, Boolean(this.#curve.summary.totalUnit)) },
      },
      axes: [this.#slotAxis(), valueAxis()],
      series: [{}, ...seriesOf(data.length - 2)],
      hooks: {
        drawClear: [(plot) => drawMissing(plot, this.#runs)],
        draw: [(plot) => this.#drawMarks(plot)],
        setCursor: [(plot) => this.#onSlot(plot.cursor.idx ?? null)],
      },
    }, data, this.#host);
  }

  #slotAxis() {
    return {
      stroke: AXIS_INK, grid: GRID, ticks: GRID, font: canvasFont(1), size: 30,
      splits: (plot, _, min, max) => this.#hourPositions(min, max, plot.bbox.width / devicePixelRatio),
      values: (_, splits) => splits.map((position) => clockOf(this.#labelAt(position))),
    };
  }

  /** Positions whose label is a full hour, thinned to what the width can carry. */
  #hourPositions(min, max, width) {
    const hours = this.#curve.slots.filter((slot) => clockOf(slot.label).endsWith(":00")).map((slot) => slot.index + 1);
    const shown = hours.filter((position) => position >= min && position <= max);
    const step = [1, 2, 3, 4, 6, 12].find((one) => (shown.length / one) * 52 < width) ?? 12;
    return shown.filter((position) => Number.parseInt(this.#labelAt(position), 10) % step === 0);
  }

  #labelAt(position) {
    return this.#curve.slots[position - 1]?.label ?? "";
  }

  /** The part of the x scale the operator zoomed to, if the curve is still the same. */
  #zoomOf(name) {
    if (this.#plot === null || name !== this.#name) return null;
    const { min, max } = this.#plot.scales.x;
    return min > 0 || max < this.#plot.data[0].length ? { min, max } : null;
  }

  #slotRange(min, max) {
    const count = this.#curve.slots.length;
    return min === null || (min <= 1 && max >= count) ? [0, count] : [min, max];
  }

  #drawMarks(plot) {
    drawUnit(plot, this.#curve.unit);
    drawStateStrip(plot, this.#runs);
    const { maxIndex, minIndex } = this.#curve.summary;
    for (const [index, isAbove] of [[maxIndex, true], [minIndex, false]]) {
      const slot = this.#curve.slots[index];
      if (slot === undefined) continue;
      drawExtreme(plot, index + 1, slot.value, `${number(slot.value)} · ${slot.label}`, isAbove);
    }
  }

  #readByKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || this.#plot === null) return;
    event.preventDefault();
    const last = this.#curve.slots.length - 1;
    const index = Math.min(last, Math.max(0, (this.#plot.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step));
    this.#plot.setCursor({ left: this.#plot.valToPos(index + 1, "x"), top: 10 });
  }

  #fit() {
    if (this.#plot !== null && this.#host.clientWidth > 0) this.#plot.setSize(this.#size());
  }

  #size() {
    return { width: Math.max(200, this.#host.clientWidth), height: Math.max(120, this.#host.clientHeight) };
  }
}

/** The overlays first, so that the day itself is drawn over them; a gap is a gap. */
function seriesOf(overlayCount) {
  const overlays = Array.from({ length: overlayCount }, (_, index) => OVERLAY_LINES[index % OVERLAY_LINES.length]);
  return [...overlays, MAIN_LINE].map((line) => ({
    ...line, spanGaps: false, points: { show: true, size: 7, fill: line.stroke, filter: onlyIsolated },
  }));
}

function valueAxis() {
  return {
    stroke: AXIS_INK, grid: GRID, ticks: GRID, font: canvasFont(1), size: 62, space: AXIS_SPACE, values: valueLabels,
  };
}

/** The time of day of a label; in the hour that autumn repeats, labels carry their offset: 02:15+02:00. */
function clockOf(label) {
  return label.slice(0, 5);
}

/** Slot i ends at position i + 1: that is where its end label stands. */
function positions(curve) {
  return curve.slots.map((slot) => slot.index + 1);
}

function onlyIsolated(plot, seriesIndex) {
  return isolatedIndexes(plot.data[seriesIndex]);
}

/** From zero for what adds up over time, so that heights compare; else close around the values. */
function valueRange(min, max, isSummed) {
  if (min === null || max === null) return [0, 1];
  const isFromZero = min >= 0 && max > 0 && (isSummed || min < max * 0.6);
  const pad = (max - (isFromZero ? 0 : min)) * 0.1 || Math.abs(max) * 0.01 || 1;
  return [isFromZero ? 0 : min - pad, max + pad];
}

function valueLabels(_, splits) {
  return splits.map((value) => number(value));
}
