// The days that can be drawn over the chosen one, as the server names them.

export const OVERLAYS = ["-1d", "-7d"];

/** Which words name an overlay. */
export const OVERLAY_WORDS = { "-1d": "overlay_yesterday", "-7d": "overlay_week_ago" };
