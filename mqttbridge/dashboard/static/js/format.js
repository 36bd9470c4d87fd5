/** Numbers, ages and times as people read them. */

import { currentLocale, t } from "./i18n.js";
import { dateFormat } from "./zone.js";

/** More decimals than this are an instrument's noise: six tell places on Earth apart by a hand's breadth. */
const MAX_DECIMALS = 6;

/** Up to so many decimals somebody chose to send; more are often a calculation's remains. */
const CHOSEN_DECIMALS = 3;

/** Figures that are a value: those of a 32-bit float, where it is one, or of a 64-bit one without its rounding. */
const SINGLE_FIGURES = 7;
const DOUBLE_FIGURES = 12;

/** Figures of the difference between the least and the greatest value that one can use. */
const SPREAD_FIGURES = 3;

/** A time so many seconds ahead of the server's is of a clock that is wrong, and said to be. */
const AHEAD_S = 60;

/** @type {Map<number, Intl.NumberFormat>} */
const fixed = new Map();

/** @param {number} decimals */
function fixedFormat(decimals) {
  let format = fixed.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat(currentLocale(), { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    fixed.set(decimals, format);
  }
  return format;
}

/**
 * How many decimals a value was sent with, floats' rounding aside.
 * @param {number} value
 * @param {number} [most]
 */
export function decimalsOf(value, most = MAX_DECIMALS) {
  if (Number.isInteger(value)) return 0;
  const figures = Math.fround(value) === value ? SINGLE_FIGURES : DOUBLE_FIGURES;
  const [mantissa, exponent = "0"] = String(Number(value.toPrecision(figures))).split("e");
  const point = mantissa.indexOf(".");
  const decimals = (point < 0 ? 0 : mantissa.length - point - 1) - Number(exponent);
  return Math.min(most, Math.max(decimals, 0));
}

/**
 * How many of a stream's decimals to show: all that were chosen, and of a longer tail as many as tell the values
 * on view apart.
 * @param {number} decimals the most decimals the stream was seen with
 * @param {number} spread from the least to the greatest value on view
 */
export function decimalsFor(decimals, spread) {
  if (decimals <= CHOSEN_DECIMALS || !(spread > 0)) return decimals;
  const useful = SPREAD_FIGURES - 1 - Math.floor(Math.log10(spread));
  return Math.min(decimals, Math.max(useful, 2));
}

/**
 * A number with its stream's decimals, so that its width does not jump.
 * @param {number} value
 * @param {number} [decimals]
 */
export function formatNumber(value, decimals = decimalsOf(value)) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.0001 || size >= 1e15)) return value.toExponential(2).replace("e+", "e");
  return fixedFormat(decimals).format(value);
}

/**
 * A number on an axis: with as many decimals as tell it from its neighbours.
 * @param {number} tick
 * @param {number} step from one tick to the next
 */
export function formatTick(tick, step) {
  if (Math.abs(tick) >= 1e7 || step < 1e-6) return formatNumber(tick);
  return fixedFormat(decimalsOf(step, 6)).format(tick);
}

/** Younger than this is now. */
const FRESH_S = 5;

/**
 * How long ago; below a few seconds it is all the same, and a figure that flickers is in the way.
 * @param {number} seconds
 * @returns {string} "now", "8 s", "2 min", "5 h", "4 d"; "in the future" for what a clock ahead of ours stamped
 */
export function formatAge(seconds) {
  if (seconds < -AHEAD_S) return t("common.inTheFuture");
  if (seconds < FRESH_S) return t("common.now");
  if (seconds < 90) return t("common.seconds", { count: Math.round(seconds) });
  if (seconds < 90 * 60) return t("common.minutes", { count: Math.round(seconds / 60) });
  if (seconds < 36 * 3600) return t("common.hours", { count: Math.round(seconds / 3600) });
  return t("common.days", { count: Math.round(seconds / 86400) });
}

/**
 * @param {number} seconds
 * @returns {string} "just now", "8 s ago", ...
 */
export function formatAgo(seconds) {
  if (seconds < -AHEAD_S) return t("common.inTheFuture");
  return seconds < FRESH_S ? t("common.justNow") : t("common.ago", { age: formatAge(seconds) });
}

const TIME = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY_AND_TIME = /** @type {const} */ ({ day: "numeric", month: "short", ...TIME });

/**
 * Time of day; with the date when `span` says that the reader cannot know the day.
 * @param {number} epoch
 * @param {number} [span] seconds the reader looks at
 */
export function formatTime(epoch, span = 0) {
  return dateFormat(span > 20 * 3600 ? DAY_AND_TIME : TIME).format(epoch * 1000);
}
