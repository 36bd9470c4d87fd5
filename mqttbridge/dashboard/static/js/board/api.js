/** A bucket's dashboard document on the server. */

/** @import { DashboardDocument } from "../types.js" */

import { bucketUrl, request } from "../api.js";

/**
 * @typedef {{version: number, at: number | null,
 *   source: "auto" | "saved" | "config", document: DashboardDocument | null, editable: boolean}} BoardAnswer
 * @typedef {{version: number, at: number | null, document?: DashboardDocument}} Winner who saved first
 */

/**
 * @param {string} bucket
 * @param {string} [rest]
 */
const urlOf = (bucket, rest = "") => `${bucketUrl(bucket)}/dashboard${rest}`;

/**
 * @param {string} bucket
 * @param {number} [version] an earlier one
 * @returns {Promise<BoardAnswer>}
 */
export const fetchBoard = (bucket, version) => request("GET", urlOf(bucket, version === undefined ? "" : `?version=${version}`));

/**
 * @param {string} bucket
 * @param {DashboardDocument} document
 * @param {number} version that it replaces
 * @returns {Promise<{version: number}>}
 */
export const saveBoard = (bucket, document, version) =>
  request("PUT", urlOf(bucket), { json: document, version });

/**
 * @param {string} bucket
 * @param {number} version
 */
export const forgetBoard = (bucket, version) => request("DELETE", urlOf(bucket), { version });

/**
 * @param {string} bucket
 * @returns {Promise<{versions: {version: number, at: number, tiles: number}[]}>}
 */
export const fetchVersions = (bucket) => request("GET", urlOf(bucket, "/versions"));

/** @param {string} bucket */
export const pictureUrl = (bucket) => urlOf(bucket, "/background");

/**
 * @param {string} bucket
 * @param {Blob} picture
 */
export const savePicture = (bucket, picture) => request("PUT", pictureUrl(bucket), { body: picture });
