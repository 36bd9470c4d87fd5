/** What the page asks of alerts and changes in them. Errors hold the server's own words. */

/** @import { AlertsAnswer, HistoryAnswer, Notice, Preview, Rule, Silence } from "./types.js" */

import { ApiError } from "../api.js";
import { syncClock } from "../clock.js";
import { t } from "../i18n.js";

const TIMEOUT_MS = 15_000;

/** Tests wait for other people's servers. */
const TEST_TIMEOUT_MS = 45_000;

/**
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{body?: any, version?: number, timeout?: number}} [more]
 * @returns {Promise<any>} null for an empty answer
 */
async function ask(method, path, { body, version, timeout = TIMEOUT_MS } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let answer;
  try {
    answer = await fetch(`/api/v1/${path}`, {
      method, headers, cache: "no-store", signal: AbortSignal.timeout(timeout),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, t("common.serverGone"));
  }
  if (!answer.ok) throw new ApiError(answer.status, await wordsOf(answer));
  if (answer.status === 204) return null;
  const made = await answer.json();
  if (typeof made.now === "number") syncClock(made.now);
  return made;
}

/** @param {Response} answer */
async function wordsOf(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text || t("common.status", { status: answer.status });
  }
}

/** @returns {Promise<AlertsAnswer>} */
export const fetchAlerts = () => ask("GET", "alerts");

/** @returns {Promise<HistoryAnswer>} */
export const fetchHistory = () => ask("GET", "alerts/history?limit=100");

/** @param {Rule} rule */
export const createRule = (rule) => ask("POST", "alerts/rules", { body: rule });

/**
 * @param {string} id
 * @param {Rule} rule
 * @param {number} version that it replaces
 */
export const changeRule = (id, rule, version) => ask("PUT", `alerts/rules/${encodeURIComponent(id)}`, { body: rule, version });

/**
 * @param {string} id
 * @param {number} version
 */
export const removeRule = (id, version) => ask("DELETE", `alerts/rules/${encodeURIComponent(id)}`, { version });

/**
 * @param {{rule: string, bucket?: string, stream?: string, seconds: number}} silence
 * @returns {Promise<Silence>}
 */
export const silence = (silence) => ask("POST", "alerts/silences", { body: silence });

/** @param {string} id */
export const endSilence = (id) => ask("DELETE", `alerts/silences/${encodeURIComponent(id)}`);

/**
 * @param {Rule} rule
 * @returns {Promise<{notices: Notice[]}>}
 */
export const testRule = (rule) => ask("POST", "alerts/test", { body: rule, timeout: TEST_TIMEOUT_MS });

/**
 * @param {Rule} rule
 * @returns {Promise<Preview>}
 */
export const previewRule = (rule) => ask("POST", "alerts/preview", { body: rule });
