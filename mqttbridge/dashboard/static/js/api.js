/** The HTTP API as functions. Names go into URLs percent-encoded and come out as data. */

/** @import { BucketsAnswer, StreamsAnswer, PointsAnswer } from "./types.js" */

import { syncClock } from "./clock.js";

const TIMEOUT_MS = 15_000;

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

/**
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
export async function getJson(url, signal) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let answer;
  try {
    answer = await fetch(url, {
      headers: { Accept: "application/json" },
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "the server does not answer");
  }
  if (!answer.ok) throw new ApiError(answer.status, `the server answered ${answer.status}`);
  const body = await answer.json();
  syncClock(body.now);
  return body;
}

/** @param {string} bucket */
const bucketUrl = (bucket) => `/api/v1/buckets/${encodeURIComponent(bucket)}`;

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
 * @param {{after: number, before?: number, points: number}} range `after` below 0 counts back from `before`, or now
 * @param {AbortSignal} [signal]
 * @returns {Promise<PointsAnswer>}
 */
export function fetchPoints(bucket, streams, { after, before, points }, signal) {
  const query = new URLSearchParams(streams.map((stream) => ["stream", stream]));
  query.set("after", String(after));
  if (before !== undefined) query.set("before", String(before));
  query.set("points", String(points));
  return getJson(`${bucketUrl(bucket)}/points?${query}`, signal);
}

/**
 * @param {string} bucket
 * @param {string} lastEventId "" for frames from now on
 */
export function liveUrl(bucket, lastEventId) {
  const query = lastEventId ? `?${new URLSearchParams({ last_event_id: lastEventId })}` : "";
  return `${bucketUrl(bucket)}/live${query}`;
}

/**
 * The page of a bucket.
 * @param {string} bucket
 */
export const pageUrl = (bucket) => `/b/${encodeURIComponent(bucket)}`;

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
    return decodeURIComponent(pathname.slice(prefix.length)) || null;
  } catch {
    return null;
  }
}
