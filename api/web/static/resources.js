// Each resource of the HTTP contract that the page reads, brought into the one form its panels use.
// Times become epoch milliseconds here and stay so until they are shown.

import { address, getJson } from "/static/http.js";
import { isNumber } from "/static/format.js";

export const POINTS_MAX = 200;
const DAY_START = "00:00";

/** Points whose tag or name holds `text`, of one station (null: of all): `{points, isMore}`. */
export async function findPoints(text, station, signal) {
  const match = text ? `*${text}*` : null;
  const answer = await getJson(["points"], { match, station: station || null, limit: POINTS_MAX }, signal);
  return { points: answer.points, isMore: Boolean(answer.next) };
}

/** One point by tag; a renamed one answers with its new tag. */
export function getPoint(tag, signal) {
  return getJson(["points", tag], {}, signal);
}

/** The newest sample of each point by tag: `{timeMs, value, quality, ageS, isStale}`. */
export async function latestOf(tags, signal) {
  if (tags.length === 0) return new Map();
  const answer = await getJson(["latest"], { points: tags.join(",") }, signal);
  return new Map(answer.latest.map((row) => [row.point, {
    timeMs: milliseconds(row.time),
    value: row.value,
    quality: row.quality,
    ageS: row.age_s,
    isStale: row.is_stale,
  }]));
}

/** All stations that have a point: `{station, pointCount}`. */
export async function listStations(signal) {
  const answer = await getJson(["stations"], {}, signal);
  return answer.stations.map((row) => ({ station: row.station, pointCount: row.point_count }));
}

/** All drivers: `{name, protocol, station, address, state, lastDataMs, lastError, lastErrorMs}`. */
export async function listDrivers(signal) {
  const answer = await getJson(["drivers"], {}, signal);
  return answer.drivers.map((driver) => ({
    ...driver,
    lastDataMs: milliseconds(driver.last_data),
    lastError: driver.last_error ?? "",
    lastErrorMs: milliseconds(driver.last_error_at),
  }));
}

/** A day's curve with its overlays, slot by slot, and the figures of the day. */
export async function loadCurve(point, date, overlays, signal) {
  const parameters = { date, label: "end", compare: overlays.join(",") || null, quality: "full" };
  const answer = await getJson(["points", point.name, "load-curve"], parameters, signal);
  const slots = answer.labels.map((label, index) => ({
    index,
    label,
    startLabel: index === 0 ? DAY_START : answer.labels[index - 1],
    startMs: milliseconds(answer.starts[index]),
    endMs: milliseconds(answer.ends[index]),
    value: answer.values[index],
    state: answer.states[index],
    count: answer.counts[index],
    quality: answer.quality[index].validity,
    origin: answer.quality[index].origin,
  }));
  return {
    date: answer.date,
    timeZone: answer.time_zone,
    unit: answer.unit,
    interval: answer.interval,
    slots,
    summary: curveSummary(answer.summary, slots),
    overlays: answer.compare.map((one) => ({ offset: one.offset, date: one.date, values: one.values })),
  };
}

/** Where the same curve is had as a CSV file that spreadsheets open with the right letters. */
export function curveCsvAddress(point, date, overlays) {
  const compare = overlays.join(",") || null;
  return address(["points", point.name, "load-curve"], { date, label: "end", compare, format: "csv", bom: 1 });
}

/** Gaps in `[startMs, endMs)`: `{startMs, endMs, missingCount, cause, detail}`. */
export async function listGaps(point, startMs, endMs, signal) {
  const answer = await getJson(["points", point.name, "gaps"], { start: startMs, end: endMs }, signal);
  return answer.gaps.map((gap) => ({
    startMs: milliseconds(gap.start),
    endMs: milliseconds(gap.end),
    missingCount: gap.missing_count,
    cause: gap.cause,
    detail: gap.detail ?? "",
  }));
}

/** Rollup rows of a point for `[from, to)` local days, period "day" or "month". */
export async function listRollups(point, period, from, to, signal) {
  const answer = await getJson(["rollups"], { period, points: point.name, from, to }, signal);
  return answer.rows.map((row) => ({
    startMs: milliseconds(row.period_start),
    endMs: milliseconds(row.period_end),
    energy: row.energy,
    unit: row.unit,
    max: row.max_demand,
    maxUnit: row.max_demand_unit,
    maxStartMs: milliseconds(row.max_time),
    mean: row.mean,
    loadFactor: row.load_factor,
    receivedShare: row.coverage?.expected ? row.coverage.received / row.coverage.expected : null,
    state: row.state,
  }));
}

function curveSummary(summary, slots) {
  const slotAt = (time) => slots.findIndex((slot) => slot.startMs === milliseconds(time));
  return {
    max: summary.max,
    maxIndex: slotAt(summary.max_start),
    min: summary.min,
    minIndex: slotAt(summary.min_start),
    mean: summary.mean,
    difference: summary.peak_valley_difference,
    rate: summary.peak_valley_rate,
    loadFactor: summary.load_factor,
    total: summary.energy,
    totalUnit: summary.energy_unit,
    valueCount: slots.filter((slot) => isNumber(slot.value)).length,
  };
}

/** RFC 3339 text or integer milliseconds as milliseconds; null for nothing. */
function milliseconds(time) {
  if (time === null || time === undefined) return null;
  return isNumber(time) ? time : Date.parse(time);
}
