/** A rule while it is being written: what the form holds, and the rule it stands for. */

/** @import { Condition, Rule } from "./types.js" */

import { durationParts, seconds } from "./words.js";

/** Every kind of condition, in the order of the menu, with the fields it has. */
export const KINDS = /** @type {const} */ ({
  ">": ["value", "clear"], ">=": ["value", "clear"], "<": ["value", "clear"], "<=": ["value", "clear"],
  "=": ["literal"], "!=": ["literal"], matches: ["text", "pattern"], changes_by: ["value", "within"],
  no_data: ["after"], enters: ["circle"], leaves: ["circle"],
});

/**
 * @typedef {{count: string, size: number}} Time
 * @typedef {{name: string, bucket: string, stream: string, is: string, value: string, clear: string, literal: string,
 *   text: string, pattern: string, within: Time, after: Time, lat: string, lon: string, radius: string, margin: string,
 *   longitude: string, hold: Time, level: import("./types.js").Level, message: string, actions: string[],
 *   webhook: string, tellWhenOver: boolean, enabled: boolean}} Draft
 */

/**
 * @param {Rule | null} rule
 * @param {{bucket: string, stream: string}} of what a new one is about
 * @param {string[]} actions whom a new one tells
 * @returns {Draft}
 */
export function draftOf(rule, of, actions) {
  /** @type {Condition} */
  const when = rule?.when ?? { is: ">" };
  const text = (/** @type {any} */ value) => (value === null || value === undefined ? "" : String(value));
  return {
    name: rule?.name ?? "", bucket: rule?.bucket ?? of.bucket, stream: rule?.stream ?? of.stream, is: when.is,
    value: text(when.value), literal: text(when.value), clear: text(when.clear), text: text(when.text), pattern: text(when.pattern),
    within: timeOf(when.within ?? null, "", 60), after: timeOf(when.after ?? null, "15", 60),
    lat: text(when.lat), lon: text(when.lon), radius: text(when.radius), margin: text(when.margin ?? 0), longitude: text(when.longitude),
    hold: timeOf(rule?.for ?? null, "0", 60), level: rule?.level ?? "warning", message: rule?.message ?? "",
    actions: rule?.actions ?? actions, webhook: rule?.webhook ?? "", tellWhenOver: rule?.tell_when_over ?? true,
    enabled: rule?.enabled ?? true,
  };
}

/**
 * @param {Draft} draft
 * @returns {Rule} as the server takes it; it says itself what is wrong with it
 */
export function ruleOf(draft) {
  return {
    name: draft.name.trim() || defaultName(draft), bucket: draft.bucket.trim() || "*", stream: draft.stream.trim(),
    when: conditionOf(draft), for: timeText(draft.hold) ?? "0s", level: draft.level, message: draft.message.trim(),
    actions: draft.actions, webhook: draft.webhook.trim() || null, tell_when_over: draft.tellWhenOver, enabled: draft.enabled,
  };
}

/** @param {Draft} draft */
const defaultName = (draft) => [draft.stream, draft.is, fieldsOf(draft.is).includes("value") ? draft.value : draft.literal || draft.text]
  .filter(Boolean).join(" ").slice(0, 100);

/**
 * @param {string} is
 * @returns {readonly string[]}
 */
export const fieldsOf = (is) => KINDS[/** @type {keyof typeof KINDS} */ (is)] ?? [];

/**
 * @param {Draft} draft
 * @returns {Condition}
 */
function conditionOf(draft) {
  const { is } = draft;
  const fields = fieldsOf(is);
  /** @type {Condition} */
  const when = { is };
  if (fields.includes("value")) when.value = number(draft.value);
  if (fields.includes("clear")) when.clear = number(draft.clear);
  if (fields.includes("literal")) when.value = literal(draft.literal);
  if (is === "matches") Object.assign(when, draft.pattern ? { pattern: draft.pattern } : { text: draft.text });
  if (fields.includes("within")) when.within = timeText(draft.within);
  if (fields.includes("after")) when.after = timeText(draft.after) ?? "0s";
  if (fields.includes("circle")) {
    Object.assign(when, { lat: number(draft.lat), lon: number(draft.lon), radius: number(draft.radius), margin: number(draft.margin) ?? 0 });
    when.longitude = draft.longitude.trim() || null;
  }
  return when;
}

/** @param {string} text */
const number = (text) => (text.trim() === "" || Number.isNaN(Number(text.replace(",", "."))) ? null : Number(text.replace(",", ".")));

/**
 * A value as it was meant: on and off, a number, or a text.
 * @param {string} text
 */
function literal(text) {
  const plain = text.trim().toLowerCase();
  if (plain === "true" || plain === "on") return true;
  if (plain === "false" || plain === "off") return false;
  return number(text) ?? text;
}

/**
 * @param {number | string | null} time
 * @param {string} count where there is none
 * @param {number} size of the unit where there is none
 * @returns {Time}
 */
function timeOf(time, count, size) {
  if (time === null || seconds(time) === 0) return { count: time === null ? count : "0", size };
  const parts = durationParts(seconds(time));
  return { count: String(parts.count), size: parts.size };
}

/** @param {Time} time */
function timeText({ count, size }) {
  const amount = number(count);
  return amount === null ? null : `${amount * size}s`;
}
