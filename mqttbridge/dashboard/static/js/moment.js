/** Times and spans as people write them, in the address and in the range picker. */

import { t } from "./i18n.js";
import { epochOf, wallClock } from "./zone.js";

/** @type {Record<string, number>} seconds */
const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };

const DURATION = /^(\d+(?:\.\d+)?)([smhdwy])$/;
const LOCAL = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?)?$/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/;

/** Later than this is not seconds. */
const MAX_EPOCH = 1e11;

/** Longer spans than this show nothing more. */
export const MAX_SPAN = 50 * UNITS.y;

/**
 * @param {string} text as "15m", "6h", "7d"
 * @returns {number | null} seconds
 */
export function parseDuration(text) {
  const [, count, unit] = DURATION.exec(text.trim().toLowerCase()) ?? [];
  if (!unit) return null;
  const seconds = Number(count) * UNITS[unit];
  return seconds >= 1 && seconds <= MAX_SPAN ? seconds : null;
}

/**
 * @typedef {object} Moment
 * @property {number} at epoch seconds
 * @property {string} relative as it was written, where it is relative to now; "" where it is not
 */

/**
 * A time: "now", "-6h", seconds since 1970, ISO 8601, "2026-01-02 03:04" or "03:04" by the chosen zone's clock.
 * @param {string} text
 * @param {number} now epoch seconds
 * @returns {Moment | null}
 */
export function parseMoment(text, now) {
  const written = text.trim();
  if (/^(now|-?0)$/i.test(written)) return { at: now, relative: "now" };
  if (written.startsWith("-")) {
    const seconds = parseDuration(written.slice(1));
    return seconds === null ? null : { at: now - seconds, relative: written.toLowerCase() };
  }
  const at = parseAbsolute(written, now);
  return at !== null && at > 0 && at < MAX_EPOCH ? { at, relative: "" } : null;
}

/**
 * @param {string} written
 * @param {number} now
 */
function parseAbsolute(written, now) {
  if (/^\d+(\.\d+)?$/.test(written)) return Number(written);
  const local = LOCAL.exec(written);
  if (local) {
    const [year, month, day, hour = 0, minute = 0, second = 0] = local.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
    if (!year || !month || !day || month > 12 || day > 31 || hour > 24 || minute > 59 || second >= 61) return null;
    return epochOf([year, month, day, hour, minute, second]);
  }
  const clock = CLOCK.exec(written);
  if (clock) {
    const today = wallClock(now);
    const [hour, minute, second = 0] = clock.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
    if (hour === undefined || minute === undefined || hour > 24 || minute > 59) return null;
    return epochOf([today.getFullYear(), today.getMonth() + 1, today.getDate(), hour, minute, second]);
  }
  // With a zone of its own, as in "2026-01-02T03:04:05Z"; what else Date.parse takes differs from browser to browser.
  if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:?\d{2})$/i.test(written)) return null;
  const parsed = Date.parse(written) / 1000;
  return Number.isFinite(parsed) ? parsed : null;
}

/**
 * A time as `parseMoment` reads it, by the chosen zone's clock: "2026-01-02 03:04:05".
 * @param {number} epoch
 */
export function writeMoment(epoch) {
  const date = wallClock(epoch);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/**
 * @param {number} seconds
 * @returns {string} as `parseDuration` reads it
 */
export function writeDuration(seconds) {
  const unit = ["w", "d", "h", "m"].find((one) => seconds % UNITS[one] === 0);
  return unit ? `${seconds / UNITS[unit]}${unit}` : `${Math.round(seconds)}s`;
}

/**
 * A length of time for reading: "2 d 3 h", "4 min 10 s", "1.25 s".
 * @param {number} seconds
 */
export function readDuration(seconds) {
  if (seconds < 10) return t("common.seconds", { count: seconds });
  const names = /** @type {const} */ ([["days", 86_400], ["hours", 3600], ["minutes", 60], ["seconds", 1]]);
  let rest = Math.round(seconds);
  const words = [];
  for (const [name, size] of names) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count || words.length) words.push(count ? t(`common.${name}`, { count }) : "");
  }
  return words.slice(0, 2).filter(Boolean).join(" ");
}
