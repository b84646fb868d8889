// Numbers, times and ages as the operator reads them, in the page's language.

import { dayOf, utcDate } from "/static/days.js";
import { locale, words } from "/static/i18n.js";

const AGE_UNITS = [["unit_year", 31_536_000], ["unit_day", 86_400], ["unit_hour", 3_600], ["unit_minute", 60]];

/** A number with two decimals at most, below 100 three, below 1 three digits; "—" where there is none. */
export function number(value, digits = digitsFor(value)) {
  if (!isNumber(value)) return words("none");
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** How many decimals, at most three, show all `values` as they are; so that a column of them lines up. */
export function decimalsOf(values) {
  const isExact = (value, digits) => Math.abs(value - Number(value.toFixed(digits))) < 1e-9;
  return [0, 1, 2].find((digits) => values.every((value) => !isNumber(value) || isExact(value, digits))) ?? 3;
}

/** A number with exactly that many decimals. */
export function fixed(value, digits) {
  if (!isNumber(value)) return words("none");
  return new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** A number and its unit. */
export function quantity(value, unit) {
  return isNumber(value) && unitText(unit) ? `${number(value)} ${unit}` : number(value);
}

/** What is written beside a number: nothing for a pure number, whose unit is "1". */
export function unitText(unit) {
  return unit === "1" ? "" : unit;
}

/** 0.1742 as "17.42 %". */
export function share(value, digits = 2) {
  if (!isNumber(value)) return words("none");
  return `${number(value * 100, digits)} %`;
}

/** "2018-11-22 Thu" of a calendar day. */
export function dayText(day) {
  const weekday = new Intl.DateTimeFormat(locale(), { weekday: "short", timeZone: "UTC" });
  return `${day} ${weekday.format(utcDate(day))}`;
}

/** "09:45" of an instant in a zone. */
export function clockText(timeMs, timeZone, withSeconds = false) {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone, hour: "2-digit", minute: "2-digit", second: withSeconds ? "2-digit" : undefined, hourCycle: "h23",
  }).format(timeMs);
}

/** "2018-11-22 09:45" of an instant in a zone. */
export function momentText(timeMs, timeZone, withSeconds = false) {
  return `${dayOf(timeMs, timeZone)} ${clockText(timeMs, timeZone, withSeconds)}`;
}

/** The clock alone for instants of `day`, with the date for others. */
export function shortMomentText(timeMs, timeZone, day, withSeconds = false) {
  const isThatDay = dayOf(timeMs, timeZone) === day;
  return isThatDay ? clockText(timeMs, timeZone, withSeconds) : momentText(timeMs, timeZone, withSeconds);
}

/** "12 s", "3 h": an age in its largest fitting unit. */
export function ageText(ageS) {
  if (!isNumber(ageS)) return words("none");
  const whole = Math.max(0, ageS);
  const [unit, sizeS] = AGE_UNITS.find(([, size]) => whole >= size) ?? ["unit_second", 1];
  return words(unit, { count: Math.floor(whole / sizeS) });
}

/** "15m" as "15 min". */
export function intervalText(interval) {
  const match = /^(\d+)([smhd])$/.exec(interval ?? "");
  if (match === null) return interval ?? "";
  const unit = { s: "unit_second", m: "unit_minute", h: "unit_hour", d: "unit_day" }[match[2]];
  return words(unit, { count: match[1] });
}

/** Whether there is a number to show. */
export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function digitsFor(value) {
  if (!isNumber(value) || value === 0 || Math.abs(value) >= 100) return 2;
  return Math.abs(value) >= 1 ? 3 : Math.min(6, 2 - Math.floor(Math.log10(Math.abs(value))));
}
