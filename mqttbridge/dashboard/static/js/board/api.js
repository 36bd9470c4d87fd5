/** A bucket's dashboard document on the server. */

/** @import { DashboardDocument } from "../types.js" */

import { ApiError, bucketUrl } from "../api.js";

const TIMEOUT_MS = 20_000;

/**
 * @typedef {{version: number, source: "auto" | "saved" | "config", document: DashboardDocument | null, editable: boolean}} BoardAnswer
 * @typedef {{version: number, at: number | null, document?: DashboardDocument}} Winner who saved first
 */

/** Somebody else saved first. */
export class Conflict extends Error {
  /** @param {Winner} winner */
  constructor(winner) {
    super("changed meanwhile");
    this.winner = winner;
  }
}

/**
 * @param {string} bucket
 * @param {string} [rest]
 */
const urlOf = (bucket, rest = "") => `${bucketUrl(bucket)}/dashboard${rest}`;

/**
 * @param {string} url
 * @param {RequestInit} [init]
 */
async function ask(url, init = {}) {
  let answer;
  try {
    answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
  } catch {
    throw new ApiError(0, "");
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 409) throw new Conflict(body);
  if (!answer.ok) throw new ApiError(answer.status, String(body.error ?? ""));
  return body;
}

/**
 * @param {string} bucket
 * @param {number} [version] an earlier one
 * @returns {Promise<BoardAnswer>}
 */
export const fetchBoard = (bucket, version) => ask(urlOf(bucket, version === undefined ? "" : `?version=${version}`));

/**
 * @param {string} bucket
 * @param {DashboardDocument} document
 * @param {number} version that it replaces
 * @returns {Promise<{version: number}>}
 */
export const saveBoard = (bucket, document, version) =>
  ask(urlOf(bucket), {
    method: "PUT", body: JSON.stringify(document), headers: { "If-Match": `"${version}"`, "Content-Type": "application/json" },
  });

/**
 * @param {string} bucket
 * @param {number} version
 */
export const forgetBoard = (bucket, version) => ask(urlOf(bucket), { method: "DELETE", headers: { "If-Match": `"${version}"` } });

/**
 * @param {string} bucket
 * @returns {Promise<{versions: {version: number, at: number, tiles: number}[]}>}
 */
export const fetchVersions = (bucket) => ask(urlOf(bucket, "/versions"));

/** @param {string} bucket */
export const pictureUrl = (bucket) => urlOf(bucket, "/background");

/**
 * @param {string} bucket
 * @param {Blob} picture
 */
export const savePicture = (bucket, picture) => ask(pictureUrl(bucket), { method: "PUT", body: picture });
