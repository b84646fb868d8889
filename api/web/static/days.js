// Calendar days as "YYYY-MM-DD" text. Arithmetic is done on UTC dates, so no zone can shift it.

/** The local day an instant falls on in an IANA zone. */
export function dayOf(timeMs, timeZone) {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone, year: "numeric", month: "2-digit", day: "2-digit",
  }).formatToParts(timeMs);
  const part = (type) => parts.find((one) => one.type === type).value;
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** The day `count` days later (earlier if negative). */
export function addDays(day, count) {
  const date = utcDate(day);
  date.setUTCDate(date.getUTCDate() + count);
  return date.toISOString().slice(0, 10);
}

/** First day of the month of `day` and of the following month. */
export function monthSpan(day) {
  const [year, month] = day.split("-").map(Number);
  return [isoDay(year, month - 1), isoDay(year, month)];
}

/** First day of the year of `day` and of the following year. */
export function yearSpan(day) {
  const year = Number(day.slice(0, 4));
  return [isoDay(year, 0), isoDay(year + 1, 0)];
}

/** How many days `[first, last)` holds. */
export function dayCount(first, last) {
  return Math.round((utcDate(last) - utcDate(first)) / 86_400_000);
}

/** Whether the text is a day of the calendar. */
export function isDay(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && !Number.isNaN(utcDate(text).getTime())
    && utcDate(text).toISOString().startsWith(text);
}

/** Midnight UTC of the day, for formatters told to use UTC. */
export function utcDate(day) {
  return new Date(`${day}T00:00:00Z`);
}

function isoDay(year, monthIndex) {
  return new Date(Date.UTC(year, monthIndex, 1)).toISOString().slice(0, 10);
}
