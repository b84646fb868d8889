// What the operator has chosen. It lives in the address (#point=…&date=…), so that a view can be sent to a colleague.

import { isDay } from "/static/days.js";
import { OVERLAYS } from "/static/overlays.js";

const REMEMBERED_POINT = "historian.point";

/** The choice written in the address; fields that are absent or wrong are null. */
export function readChoice() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const date = fields.get("date");
  const compare = fields.get("compare");
  return {
    point: fields.get("point"),
    date: isDay(date) ? date : null,
    station: fields.get("station"),
    view: fields.get("view") === "table" ? "table" : "curve",
    overlays: compare === null ? null : compare.split(",").filter((one) => OVERLAYS.includes(one)),
    language: ["zh", "en"].includes(fields.get("lang")) ? fields.get("lang") : null,
  };
}

/** Writes the choice into the address; `isNewPlace` makes it a step the back button returns from. */
export function writeChoice(choice, isNewPlace) {
  const fields = new URLSearchParams();
  if (choice.station !== null) fields.set("station", choice.station);
  if (choice.point) fields.set("point", choice.point);
  if (choice.date) fields.set("date", choice.date);
  fields.set("compare", choice.overlays.join(","));
  if (choice.view === "table") fields.set("view", "table");
  fields.set("lang", choice.language);
  const address = `#${fields}`;
  if (address === location.hash) return;
  if (isNewPlace) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  if (choice.point) localStorage.setItem(REMEMBERED_POINT, choice.point);
}

/** The point looked at last in this browser, or null. */
export function rememberedPoint() {
  return localStorage.getItem(REMEMBERED_POINT);
}
