/** What the page asks of alerts and changes in them. Errors hold the server's own words. */

/** @import { AlertsAnswer, HistoryAnswer, Notice, Preview, Rule, Silence } from "./types.js" */

import { request } from "../api.js";

/** Tests wait for other people's servers. */
const TEST_TIMEOUT_MS = 45_000;

const ALERTS = "/api/v1/alerts";

/** @returns {Promise<AlertsAnswer>} */
export const fetchAlerts = () => request("GET", ALERTS);

/** @returns {Promise<HistoryAnswer>} */
export const fetchHistory = () => request("GET", `${ALERTS}/history?limit=100`);

/** @param {Rule} rule */
export const createRule = (rule) => request("POST", `${ALERTS}/rules`, { json: rule });

/**
 * @param {string} id
 * @param {Rule} rule
 * @param {number} version that it replaces
 */
export const changeRule = (id, rule, version) => request("PUT", `${ALERTS}/rules/${encodeURIComponent(id)}`, { json: rule, version });

/**
 * @param {string} id
 * @param {number} version
 */
export const removeRule = (id, version) => request("DELETE", `${ALERTS}/rules/${encodeURIComponent(id)}`, { version });

/**
 * @param {{rule: string, bucket?: string, stream?: string, seconds: number}} silence
 * @returns {Promise<Silence>}
 */
export const silence = (silence) => request("POST", `${ALERTS}/silences`, { json: silence });

/** @param {string} id */
export const endSilence = (id) => request("DELETE", `${ALERTS}/silences/${encodeURIComponent(id)}`);

/**
 * @param {Rule} rule
 * @returns {Promise<{notices: Notice[]}>}
 */
export const testRule = (rule) => request("POST", `${ALERTS}/test`, { json: rule, timeout: TEST_TIMEOUT_MS });

/**
 * @param {Rule} rule
 * @returns {Promise<Preview>}
 */
export const previewRule = (rule) => request("POST", `${ALERTS}/preview`, { json: rule });
