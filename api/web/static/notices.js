// Says in words what went wrong. One notice for each place; a success at that place takes it away again.

import { byId, element } from "/static/dom.js";
import { Problem } from "/static/http.js";
import { words } from "/static/i18n.js";

const shown = new Map();

/** Shows what failed at `place`: a Problem, or a fault of the page itself. An abort is no fault. */
export function reportFailure(place, error) {
  if (error?.name === "AbortError") return;
  if (!(error instanceof Problem)) {
    console.error(error);
    showNotice(place, words("page_fault", { detail: error?.message ?? String(error) }));
  } else {
    showNotice(place, problemWords(error), error.requestId && words("problem_request", { id: error.requestId }));
  }
}

/** Shows a sentence at `place` until cleared or dismissed. */
export function showNotice(place, text, more = "") {
  shown.set(place, { text, more });
  render();
}

/** Takes the notice of `place` away. */
export function clearNotice(place) {
  if (shown.delete(place)) render();
}

/** A problem in one sentence: the detail, which says what to do, before the bare title. */
export function problemWords(problem) {
  if (problem.status === 0) return problem.title;
  return words("problem", { title: problem.detail || problem.title });
}

function render() {
  const unlike = new Map([...shown].map(([place, notice]) => [notice.text, [place, notice]]));
  byId("notices").replaceChildren(...[...unlike.values()].map(([place, notice]) => element("p", { "data-place": place },
    element("span", { class: "sign", "aria-hidden": "true" }, "▲"),
    element("span", {}, notice.text),
    notice.more ? element("span", { class: "quiet" }, notice.more) : null,
    element("button", { type: "button", click: () => dismiss(notice.text) }, words("dismiss")),
  )));
}

function dismiss(text) {
  for (const [place, notice] of shown) if (notice.text === text) shown.delete(place);
  render();
}
