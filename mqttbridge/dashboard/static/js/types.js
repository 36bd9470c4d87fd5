/**
 * Shapes of the HTTP API, as docs/http-api.md gives them. Times are epoch seconds on the server's clock.
 *
 * @typedef {"number" | "boolean" | "text"} Kind
 * @typedef {number | boolean | string} Value
 * @typedef {{value: Value, epoch: number}} Last
 * @typedef {{made: number, stream: string, kind: Kind, unit: string, value: Value, epochs: number[], values: Value[]}} SparkLine
 * @typedef {{key: string, name: string, tags: string[], streams: number, last: number | null, rate: number, spark?: SparkLine}} BucketSummary
 * @typedef {{now: number, buckets: BucketSummary[]}} BucketsAnswer
 * @typedef {{stream: string, kind: Kind, unit: string, last: Last | null, interval?: number | null}} StreamSummary
 * @typedef {{now: number, bucket: {key: string, name: string}, streams: StreamSummary[]}} StreamsAnswer
 * @typedef {{kind: Kind, unit: string, epochs: number[], values: Value[]}} Points
 * @typedef {{now: number, live: string, after: number, before: number, series: Record<string, Points>}} PointsAnswer
 * @typedef {{now: number, series: Record<string, Points>}} LiveFrame
 * @typedef {{badge: string, text: string}} Trouble of the bridge, in two words and in a sentence
 * @typedef {[from: number, to: number]} Span
 */

export {};
