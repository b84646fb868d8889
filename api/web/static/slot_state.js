// One word for the state of a slot, out of what the server says about its coverage, validity and origin.

import { isNumber } from "/static/format.js";

/** States of slots that should have a value and have none. */
export const WITHOUT_VALUE = new Set(["missing", "unusable", "spanned"]);

const EMPTY = { suspect: "unusable", spanned: "spanned" };
const REPLACED = new Set(["estimated", "substituted", "manual"]);

/** "good", or what the operator must know. A slot that has not ended yet is "open" or "ahead", never short of data. */
export function slotState(slot, nowMs) {
  if (!isNumber(slot.value)) return slot.endMs > nowMs ? "ahead" : EMPTY[slot.state] ?? "missing";
  if (slot.state === "partial" && slot.endMs > nowMs) return "open";
  if (slot.state === "partial" || slot.state === "spread") return slot.state;
  if (slot.quality !== "good") return "suspect";
  return REPLACED.has(slot.origin) ? slot.origin : "good";
}
