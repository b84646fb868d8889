// The day: typed as year-month-day, picked from the browser's calendar, or stepped.

import { byId } from "/static/dom.js";
import { isDay } from "/static/days.js";
import { words } from "/static/i18n.js";
import { clearNotice, showNotice } from "/static/notices.js";

/** Calls `onDay(day)` for a day typed or picked, `onStep(count)` and `onDaysAgo(count)` for the buttons. */
export function wireDayPicker({ onDay, onStep, onDaysAgo }) {
  const [text, calendar] = [byId("date"), byId("calendar")];
  byId("day").addEventListener("submit", (event) => { event.preventDefault(); choose(text.value, onDay); });
  text.addEventListener("change", () => choose(text.value, onDay));
  calendar.addEventListener("change", () => isDay(calendar.value) && onDay(calendar.value));
  byId("open_calendar").addEventListener("click", () => calendar.showPicker());
  for (const button of byId("day").querySelectorAll("button")) {
    const { step, daysAgo } = button.dataset;
    if (step !== undefined) button.addEventListener("click", () => onStep(Number(step)));
    if (daysAgo !== undefined) button.addEventListener("click", () => onDaysAgo(Number(daysAgo)));
  }
}

/** Shows `day` in the picker; `daysAgo` marks the button it equals, if one does. */
export function showPickedDay(day, daysAgo) {
  if (byId("calendar").value !== day) { // a refresh leaves what is being typed alone
    byId("date").value = day;
    clearNotice("day");
  }
  byId("calendar").value = day;
  for (const button of byId("day").querySelectorAll("[data-days-ago]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.daysAgo) === daysAgo));
  }
}

function choose(typed, onDay) {
  const day = typed.trim().replaceAll("/", "-");
  if (isDay(day)) {
    clearNotice("day");
    onDay(day);
  } else {
    showNotice("day", words("wrong_day", { text: typed }));
  }
}
