/** What the bridge's page asks of the server. */

import { getJson, request } from "../api.js";

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
export const explain = (topic, payload) => request("POST", `/api/v1/explain?${new URLSearchParams({ topic })}`, { body: payload });

/** @param {string} topic */
export const propose = (topic) => request("POST", "/api/v1/bridge/propose", { json: { topic } });

/** @param {string} topic */
export const listen = (topic) => request("POST", "/api/v1/bridge/listen", { json: { topic } });

/**
 * @param {"replay" | "purge"} what
 * @param {Record<string, any>} selection
 */
export const changeRejected = (what, selection) => request("POST", `/api/v1/rejected/${what}`, { json: selection });
