/** Signing in, keys, share links and stream tokens over HTTP. Refusals carry the server's own words. */

import { request } from "../api.js";

/**
 * @typedef {{guarded: boolean, role: "viewer" | "sender" | "admin" | null, label: string, by_cookie: boolean,
 *   first_start: boolean, keeps: boolean}} Session
 * @typedef {{id: string, role: "viewer" | "sender" | "admin", label: string, configured: boolean,
 *   created: number | null, used: number | null}} Key
 * @typedef {{id: string, bucket: string, label: string, created: number, expires: number | null, expired: boolean,
 *   used: number | null}} Link
 * @typedef {{id: string, figure: string, trace: string, maxpoints: number, mode: string, created: number}} StreamToken
 */

/** @returns {Promise<Session>} */
export const fetchSession = () => request("GET", "/api/v1/session");

/**
 * @param {string} token
 * @returns {Promise<Session>}
 */
export const signIn = (token) => request("POST", "/api/v1/session", { json: { token } });

export const signOut = () => request("DELETE", "/api/v1/session");

/**
 * @param {string} code
 * @param {string} label
 * @returns {Promise<{secret: string, key: Key}>}
 */
export const makeFirstKey = (code, label) => request("POST", "/api/v1/first-key", { json: { code, label } });

/** @returns {Promise<{keys: Key[]}>} */
export const fetchKeys = () => request("GET", "/api/v1/keys");

/**
 * @param {string} role
 * @param {string} label
 * @returns {Promise<{secret: string, key: Key}>}
 */
export const makeKey = (role, label) => request("POST", "/api/v1/keys", { json: { role, label } });

/** @param {string} id */
export const revokeKey = (id) => request("DELETE", `/api/v1/keys/${encodeURIComponent(id)}`);

/**
 * Browsers cannot send the names `.` and `..` in a path.
 * @param {string} bucket
 */
const linksUrl = (bucket) =>
  bucket === "." || bucket === ".."
    ? `/api/v1/buckets/-/links?bucket=${bucket}`
    : `/api/v1/buckets/${encodeURIComponent(bucket)}/links`;

/**
 * @param {string} [bucket] that of all without
 * @returns {Promise<{links: Link[], embed_origins: string[]}>}
 */
export const fetchLinks = (bucket) => request("GET", bucket === undefined ? "/api/v1/links" : linksUrl(bucket));

/**
 * @param {string} bucket
 * @param {string} label
 * @param {number | null} seconds
 * @returns {Promise<{url: string, embed: string, link: Link}>}
 */
export const makeLink = (bucket, label, seconds) => request("POST", linksUrl(bucket), { json: { label, seconds } });

/** @param {string} id */
export const revokeLink = (id) => request("DELETE", `/api/v1/links/${encodeURIComponent(id)}`);

/** @returns {Promise<{tokens: StreamToken[], listen: string | null}>} */
export const fetchStreamTokens = () => request("GET", "/api/v1/plotly/tokens");

/**
 * @param {{figure: string, trace: string, maxpoints: number, mode: string}} wanted
 * @returns {Promise<{secret: string, token: StreamToken}>}
 */
export const makeStreamToken = (wanted) => request("POST", "/api/v1/plotly/tokens", { json: wanted });

/** @param {string} id */
export const removeStreamToken = (id) => request("DELETE", `/api/v1/plotly/tokens/${encodeURIComponent(id)}`);
