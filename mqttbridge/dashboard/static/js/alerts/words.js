/** Rules as sentences, durations and values as people say them. */

/** @import { Condition, Rule } from "./types.js" */

import { formatNumber } from "../format.js";
import { t } from "../i18n.js";

/** Each comparison's name in the texts: a path has no room for signs. */
const NAMES = { ">": "above", ">=": "atLeast", "<": "below", "<=": "atMost", "=": "equals", "!=": "differs" };

/** @type {[number, string][]} from the largest */
const UNITS = [[86400, "days"], [3600, "hours"], [60, "minutes"], [1, "seconds"]];

/** @param {string} is */
export const conditionName = (is) => /** @type {Record<string, string>} */ (NAMES)[is] ?? is;

/**
 * The largest unit that leaves a whole number.
 * @param {number} seconds
 * @returns {{count: number, unit: string, size: number}}
 */
export function durationParts(seconds) {
  const [size, unit] = UNITS.find(([size]) => seconds >= size && seconds % size === 0) ?? UNITS[3];
  return { count: seconds / size, unit, size };
}

/** @param {number} seconds */
export function duration(seconds) {
  const { count, unit } = durationParts(seconds >= 1 ? Math.round(seconds) : seconds);
  return t(`alerts.duration.${unit}`, { count });
}

/** @param {any} value */
export function valueInWords(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return t(value ? "common.on" : "common.off");
  return typeof value === "number" ? formatNumber(value) : String(value);
}

/** @param {Condition} when */
function conditionInWords(when) {
  const path = `alerts.says.${conditionName(when.is)}`;
  if (when.is === "matches") return t(path, { value: when.text ?? `/${when.pattern ?? ""}/` });
  if (when.is === "no_data") return t(path, { value: duration(seconds(when.after)) });
  if (when.is === "enters" || when.is === "leaves") {
    return t(path, { radius: when.radius, lat: when.lat, lon: when.lon });
  }
  const said = t(path, { value: valueInWords(when.value) });
  return when.is === "changes_by" && when.within ? `${said} ${t("alerts.within", { time: duration(seconds(when.within)) })}` : said;
}

/**
 * The whole rule in a sentence.
 * @param {Rule} rule
 */
export function sentence(rule) {
  const parts = [t("alerts.sentence", { bucket: named(rule.bucket, "anyBucket"), stream: named(rule.stream, "anyStream"), condition: conditionInWords(rule.when) })];
  if (seconds(rule.for) > 0) parts.push(t("alerts.heldFor", { time: duration(seconds(rule.for)) }));
  const { clear } = rule.when;
  if (clear !== null && clear !== undefined) parts.push(t("alerts.untilBack", { value: valueInWords(clear) }));
  return parts.join(" ");
}

/**
 * @param {string} pattern
 * @param {"anyBucket" | "anyStream"} any
 */
const named = (pattern, any) => (pattern === "*" ? t(`alerts.${any}`) : pattern);

/**
 * @param {number | string | null | undefined} time as the server gives it, or as it is sent
 * @returns {number}
 */
export const seconds = (time) => (typeof time === "number" ? time : Number.parseFloat(time ?? "0") || 0);
