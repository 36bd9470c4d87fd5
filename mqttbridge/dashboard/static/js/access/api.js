/** Signing in, keys, share links and stream tokens over HTTP. Refusals carry the server's own words. */

import { ApiError } from "../api.js";
import { t } from "../i18n.js";

/**
 * @typedef {{guarded: boolean, role: "viewer" | "sender" | "admin" | null, label: string, by_cookie: boolean,
 *   first_start: boolean, keeps: boolean}} Session
 * @typedef {{id: string, role: "viewer" | "sender" | "admin", label: string, configured: boolean,
 *   created: number | null, used: number | null}} Key
 * @typedef {{id: string, bucket: string, label: string, created: number, expires: number | null, expired: boolean,
 *   used: number | null}} Link
 * @typedef {{id: string, figure: string, trace: string, maxpoints: number, mode: string, created: number}} StreamToken
 */

const TIMEOUT_MS = 15_000;

/**
 * @param {string} method
 * @param {string} url
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
async function ask(method, url, body) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(url, {
      method,
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiError(0, t("common.noAnswer"));
  }
  if (answer.status === 204) return null;
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  throw new ApiError(answer.status, problemIn(text) ?? text);
}

/** @param {string} text */
function problemIn(text) {
  try {
    return JSON.parse(text).error;
  } catch {
    return null;
  }
}

/** @returns {Promise<Session>} */
export const fetchSession = () => ask("GET", "/api/v1/session");

/**
 * @param {string} token
 * @returns {Promise<Session>}
 */
export const signIn = (token) => ask("POST", "/api/v1/session", { token });

export const signOut = () => ask("DELETE", "/api/v1/session");

/**
 * @param {string} code
 * @param {string} label
 * @returns {Promise<{secret: string, key: Key}>}
 */
export const makeFirstKey = (code, label) => ask("POST", "/api/v1/first-key", { code, label });

/** @returns {Promise<{keys: Key[]}>} */
export const fetchKeys = () => ask("GET", "/api/v1/keys");

/**
 * @param {string} role
 * @param {string} label
 * @returns {Promise<{secret: string, key: Key}>}
 */
export const makeKey = (role, label) => ask("POST", "/api/v1/keys", { role, label });

/** @param {string} id */
export const revokeKey = (id) => ask("DELETE", `/api/v1/keys/${encodeURIComponent(id)}`);

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
export const fetchLinks = (bucket) => ask("GET", bucket === undefined ? "/api/v1/links" : linksUrl(bucket));

/**
 * @param {string} bucket
 * @param {string} label
 * @param {number | null} seconds
 * @returns {Promise<{url: string, embed: string, link: Link}>}
 */
export const makeLink = (bucket, label, seconds) => ask("POST", linksUrl(bucket), { label, seconds });

/** @param {string} id */
export const revokeLink = (id) => ask("DELETE", `/api/v1/links/${encodeURIComponent(id)}`);

/** @returns {Promise<{tokens: StreamToken[], listen: string | null}>} */
export const fetchStreamTokens = () => ask("GET", "/api/v1/plotly/tokens");

/**
 * @param {{figure: string, trace: string, maxpoints: number, mode: string}} wanted
 * @returns {Promise<{secret: string, token: StreamToken}>}
 */
export const makeStreamToken = (wanted) => ask("POST", "/api/v1/plotly/tokens", wanted);

/** @param {string} id */
export const removeStreamToken = (id) => ask("DELETE", `/api/v1/plotly/tokens/${encodeURIComponent(id)}`);
