// The heading of the main part: which point, what it measures, and a note about the day where one is due.

import { byId, element } from "/static/dom.js";
import { dayText, intervalText, unitText } from "/static/format.js";
import { codeWords, words } from "/static/i18n.js";
import { nameOf } from "/static/side.js";

/** Names the point: tag, name in the page's language, kind, unit, interval, station. */
export function showTitle(point) {
  const facts = [codeWords("kind", point.kind), unitText(point.unit), intervalText(point.interval), point.station, point.time_zone];
  document.title = `${point.name} · ${words("product")}`;
  byId("title").replaceChildren(
    element("h2", {}, point.name),
    element("span", { class: "title_name" }, nameOf(point)),
    element("span", { class: "quiet" }, facts.filter(Boolean).join(" · ")));
}

/** Says so when the shown day is not today because today has no data, or when the chosen day has none. */
export function showDayNote({ day, today, newestDay, isChosen, isEmpty }, onShowNewest) {
  const note = byId("day_note");
  const text = noteText(day, today, newestDay, isChosen, isEmpty);
  const leadsToNewest = text !== "" && newestDay !== null && newestDay !== day;
  note.hidden = text === "";
  note.replaceChildren(text, ...(leadsToNewest ? [" ", element("button", { type: "button", click: onShowNewest },
    words("show_newest", { newest: newestDay }))] : []));
}

function noteText(day, today, newestDay, isChosen, isEmpty) {
  if (newestDay === null) return words("never_note");
  if (isEmpty) return words("empty_day_note", { day: dayText(day), newest: dayText(newestDay) });
  if (!isChosen && newestDay !== today) return words("newest_day_note", { day: dayText(newestDay) });
  return "";
}
