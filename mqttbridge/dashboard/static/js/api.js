/** The HTTP API as functions. Names go into URLs percent-encoded and come out as data. */

/** @import { BucketsAnswer, BucketView, StreamsAnswer, PointsAnswer, RowsAnswer, StreamStatistics } from "./types.js" */

import { syncClock } from "./clock.js";
import { t } from "./i18n.js";

const TIMEOUT_MS = 15_000;

/** A text of this length says what is wrong; a longer one was not meant for people. */
const MOST_WORDS = 300;

/** An answer that is not a success. `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Somebody else changed first what one wanted to change; `winner` is what is there now. */
export class Conflict extends ApiError {
  /**
   * @param {string} message
   * @param {any} winner
   */
  constructor(message, winner) {
    super(409, message);
    this.winner = winner;
  }
}

/**
 * Ask the server for something, or for a change.
 *
 * @param {string} method
 * @param {string} url
 * @param {object} [how]
 * @param {unknown} [how.json] sent as JSON
 * @param {BodyInit} [how.body] sent as it is
 * @param {number} [how.version] that is replaced
 * @param {number} [how.timeout] milliseconds
 * @param {AbortSignal} [how.signal] aborts it: the reason is thrown as it is
 * @returns {Promise<any>} what was answered; null for nothing
 * @throws {ApiError} in the server's own words; a Conflict when `version` is not the one that is there
 */
export async function request(method, url, { json, body, version, timeout = TIMEOUT_MS, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  const late = AbortSignal.timeout(timeout);
  let answer, text;
  try {
    answer = await fetch(url, {
      method, headers, cache: "no-store", body: json === undefined ? body : JSON.stringify(json),
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    text = await answer.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, t("common.noAnswer"));
  }
  const said = parsed(text);
  if (answer.status === 409) throw new Conflict(wordsOf(answer.status, text), said ?? {});
  if (!answer.ok || said === undefined) throw new ApiError(answer.status, wordsOf(answer.status, text));
  syncClock(said?.now);
  return said;
}

/**
 * @param {string} text
 * @returns {any} null for an empty one, undefined where it is no JSON: what stands between may answer, too
 */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return undefined;
  }
}

/**
 * What an answer says is wrong: our own API says it in JSON, the door as plain text.
 * @param {number} status
 * @param {string} text
 */
export function wordsOf(status, text) {
  const { error } = parsed(text) ?? {};
  if (typeof error === "string") return error;
  return text && !text.trimStart().startsWith("<") ? text.slice(0, MOST_WORDS) : t("common.status", { status });
}

/**
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
export const getJson = (url, signal) => request("GET", url, { signal });

/** @param {string} bucket */
export const bucketUrl = (bucket) => `/api/v1/buckets/${encodeURIComponent(bucket)}`;

/**
 * @param {number} sparksSince lines made after this come along; 0 for all
 * @returns {Promise<BucketsAnswer>}
 */
export const fetchBuckets = (sparksSince) => getJson(`/api/v1/buckets?spark=${sparksSince}`);

/** @returns {Promise<Record<string, any>>} */
export const fetchStatus = () => getJson("/api/v1/status");

/**
 * @param {string} bucket
 * @returns {Promise<StreamsAnswer>}
 */
export const fetchStreams = (bucket) => getJson(`${bucketUrl(bucket)}/streams`);

/**
 * @param {string} bucket
 * @param {string[]} streams
 * @param {{after: number, before?: number, points: number, statistics?: boolean}} range `after` below 0 counts back from
 *   `before`, or now; `statistics` of each cell of it, too
 * @param {AbortSignal} [signal]
 * @param {string[]} [expressions] such as `=[temp_f]*2`; without any stream they are all that is answered
 * @returns {Promise<PointsAnswer>}
 */
export function fetchPoints(bucket, streams, { after, before, points, statistics }, signal, expressions = []) {
  const query = new URLSearchParams(streams.map((stream) => ["stream", stream]));
  for (const expression of expressions) query.append("expression", expression);
  query.set("after", String(after));
  if (before !== undefined) query.set("before", String(before));
  query.set("points", String(points));
  if (statistics) query.set("statistics", "1");
  return getJson(`${bucketUrl(bucket)}/points?${query}`, signal);
}

/**
 * Count, least, mean and greatest of every stream between two times.
 * @param {string} bucket
 * @param {number} after epoch seconds
 * @param {number} before
 * @param {AbortSignal} [signal]
 * @returns {Promise<{streams: Record<string, StreamStatistics>}>}
 */
export function fetchSummary(bucket, after, before, signal) {
  return getJson(`${bucketUrl(bucket)}/summary?${new URLSearchParams({ after: String(after), before: String(before) })}`, signal);
}

/**
 * @typedef {object} RowsQuery
 * @property {number} [after] epoch seconds
 * @property {number} [before]
 * @property {string[]} [streams]
 * @property {string} [text]
 * @property {string} [least]
 * @property {string} [most]
 */

/** @param {RowsQuery} asked */
function rowsQuery({ streams = [], ...rest }) {
  const query = new URLSearchParams(streams.map((stream) => ["stream", stream]));
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return query;
}

/**
 * Stored points, a page of them.
 * @param {string} bucket
 * @param {RowsQuery & {order: "asc" | "desc", limit: number, cursor?: string}} asked
 * @param {AbortSignal} [signal]
 * @returns {Promise<RowsAnswer>}
 */
export const fetchRows = (bucket, asked, signal) => getJson(`${bucketUrl(bucket)}/events?${rowsQuery(asked)}`, signal);

/**
 * Where a range is to be had as a file.
 * @param {string} bucket
 * @param {RowsQuery & {format: string}} asked
 */
export const exportUrl = (bucket, asked) => `${bucketUrl(bucket)}/export?${rowsQuery(asked)}`;

/**
 * Say a value by a control.
 * @param {string} bucket
 * @param {string} stream
 * @param {import("./types.js").Value} value
 * @param {{topic?: string, retain?: boolean}} [to] a topic that gets it, too
 */
export const sendValue = (bucket, stream, value, to = {}) =>
  request("POST", `${bucketUrl(bucket)}/value`, { json: { stream, value, ...to } });

/**
 * @param {string} bucket
 * @param {string} lastEventId "" for frames from now on
 */
export function liveUrl(bucket, lastEventId) {
  const query = lastEventId ? `?${new URLSearchParams({ last_event_id: lastEventId })}` : "";
  return `${bucketUrl(bucket)}/live${query}`;
}

/** Where what concerns all buckets is told. */
export const everywhereUrl = () => "/api/v1/live";

/**
 * The page of a bucket.
 * @param {string} bucket
 * @param {BucketView} [view]
 */
export const pageUrl = (bucket, view = "board") =>
  `/b/${encodeURIComponent(bucket)}${view === "board" ? "" : `/${view}`}`;

/** @returns {Promise<{figures: import("./figure/shelf.js").FigureSummary[]}>} */
export const fetchFigures = () => getJson("/api/v1/figures");

/**
 * The page of a figure.
 * @param {string} figure
 */
export const figureUrl = (figure) => `/f/${encodeURIComponent(figure)}`;

/**
 * The bucket whose page this is, or null on any other.
 * @param {string} pathname
 */
export const bucketOfPage = (pathname) => nameIn(pathname, "/b/");

/**
 * Which of a bucket's views the address names.
 * @param {string} pathname
 * @returns {BucketView}
 */
export function viewOfPage(pathname) {
  const [, , , view] = pathname.split("/");
  return view === "waves" || view === "source" ? view : "board";
}

/**
 * The figure whose page this is, or null on any other.
 * @param {string} pathname
 */
export const figureOfPage = (pathname) => nameIn(pathname, "/f/");

/**
 * @param {string} pathname
 * @param {string} prefix
 */
function nameIn(pathname, prefix) {
  if (!pathname.startsWith(prefix)) return null;
  try {
    return decodeURIComponent(pathname.slice(prefix.length).split("/")[0]) || null;
  } catch {
    return null;
  }
}
