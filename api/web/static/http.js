// One way to ask the historian: JSON in the page's language, with a deadline; what fails is a Problem that can be shown.

import { clockText } from "/static/format.js";
import { locale, words } from "/static/i18n.js";

const BASE = "/api/v1";
const ANSWER_WITHIN_S = 15;

let lastAnswerMs = Date.now();

/** An answer that is not a success: `title` and `detail` are for people, `status` is 0 where there was no answer. */
export class Problem extends Error {
  constructor({ status, title, detail = "", requestId = "" }) {
    super(detail || title);
    Object.assign(this, { status, title, detail, requestId });
  }
}

/** The address of a resource: path pieces are encoded, null parameters left out. */
export function address(pieces, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) query.set(name, String(value));
  }
  const path = [BASE, ...pieces.map(encodeURIComponent)].join("/");
  return query.size > 0 ? `${path}?${query}` : path;
}

/** The JSON answer to a GET. Raises Problem; an abort by `signal` is raised as it is. */
export async function getJson(pieces, parameters, signal) {
  const response = await answer(address(pieces, parameters), signal);
  lastAnswerMs = Date.now();
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

/** The JSON answer to a POST, null where there is none. A session's changes need its second token. Raises Problem. */
export async function postJson(pieces, body, csrfToken = "") {
  const headers = {
    Accept: "application/json", "Accept-Language": locale(), "Content-Type": "application/json", "X-CSRF-Token": csrfToken,
  };
  const response = await fetch(address(pieces), { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

async function answer(url, signal) {
  const deadline = AbortSignal.timeout(ANSWER_WITHIN_S * 1000);
  const signals = signal ? [signal, deadline] : [deadline];
  try {
    return await fetch(url, {
      headers: { Accept: "application/json", "Accept-Language": locale() }, signal: AbortSignal.any(signals),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const isLate = error.name === "TimeoutError";
    const title = isLate ? words("too_slow", { count: ANSWER_WITHIN_S }) : words("unreachable", { time: lastTime() });
    throw new Problem({ status: 0, title });
  }
}

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem({
    status: response.status,
    title: body.title ?? `${response.status} ${response.statusText}`,
    detail: body.detail ?? "",
    requestId: response.headers.get("X-Request-Id") ?? "",
  });
}

function lastTime() {
  return clockText(lastAnswerMs, Intl.DateTimeFormat().resolvedOptions().timeZone, true);
}
