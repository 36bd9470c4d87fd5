/** What the bridge's page asks of the server. */

import { ApiError, getJson } from "../api.js";

/** @param {boolean} charts whether the last minutes' rates come along */
export const fetchBridge = (charts) => getJson(`/api/v1/bridge${charts ? "?charts=1" : ""}`);

export const fetchUnmatched = () => getJson("/api/v1/bridge/unmatched");

/** @param {number} after */
export const fetchLog = (after) => getJson(`/api/v1/bridge/log?after=${after}`);

/** @param {{reason: string, topic: string}} wanted */
export const fetchRejected = (wanted) => getJson(`/api/v1/rejected?${new URLSearchParams(wanted)}`);

/**
 * @param {string} topic
 * @param {string} payload
 */
export const explain = (topic, payload) => send(`/api/v1/explain?${new URLSearchParams({ topic })}`, payload);

/** @param {string} topic */
export const propose = (topic) => send("/api/v1/bridge/propose", JSON.stringify({ topic }));

/** @param {string} topic */
export const listen = (topic) => send("/api/v1/bridge/listen", JSON.stringify({ topic }));

/**
 * @param {"replay" | "purge"} what
 * @param {Record<string, any>} selection
 */
export const changeRejected = (what, selection) => send(`/api/v1/rejected/${what}`, JSON.stringify(selection));

/**
 * @param {string} url
 * @param {string} body
 * @returns {Promise<Record<string, any>>}
 */
async function send(url, body) {
  let answer;
  try {
    answer = await fetch(url, { method: "POST", body, headers: { "Content-Type": "text/plain" } });
  } catch {
    throw new ApiError(0, "");
  }
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  throw new ApiError(answer.status, errorIn(text));
}

/**
 * What a refusal says: our own API's in JSON, the door's as plain text.
 * @param {string} text
 */
function errorIn(text) {
  try {
    return String(JSON.parse(text).error);
  } catch {
    return text.slice(0, 300);
  }
}
