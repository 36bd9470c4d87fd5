/** The shelf: every bucket as a card, the most recently active first. */

/** @import { Worst } from "../alerts/types.js" */
/** @import { BucketsAnswer, BucketSummary, SparkLine } from "../types.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { BucketBadge } from "../alerts/bucket-badge.js";
import { everywhereUrl, fetchBuckets, pageUrl } from "../api.js";
import { Spark, sparkPath } from "../charts/spark.js";
import { now } from "../clock.js";
import { onEmoji, withEmoji } from "../emoji.js";
import { FigureShelf } from "../figure/shelf.js";
import { decimalsOf, formatAgo, formatNumber } from "../format.js";
import { t } from "../i18n.js";
import { LiveConnection } from "../live.js";
import { Polled } from "../polled.js";
import { sayState } from "../said.js";
import { useStyles } from "../styles.js";
import { formatRate } from "../words.js";
import { BridgeNotice } from "./bridge-notice.js";
import { PolledBadge } from "./polled-badge.js";
import { focusSearch } from "./search.js";
import { SiteBar } from "./site-bar.js";
import { Denied, Welcome } from "./welcome.js";

const POLL_MS = 3000;

/** A bucket that got a value in the last so many seconds is live. */
const LIVE_S = 15;

/** From this many buckets on, one searches rather than looks. */
const SEARCH_FROM = 7;

/** The line on a card shows the last hour. */
const SPARK_S = 3600;
const YOUNG_S = 60;

/** Its points stand up to a few minutes apart: a silence of more is left open. */
const GAP_S = 430;

/** More decimals are for the bucket's own page. */
const DECIMALS = 2;

/**
 * @param {number} value
 * @param {string} unit
 */
const withUnit = (value, unit) => `${formatNumber(value, decimalsOf(value, DECIMALS))}${unit ? ` ${unit}` : ""}`;

/** @param {{spark: SparkLine}} props */
function Line({ spark: { stream, kind, unit, value, epochs, values } }) {
  const until = now();
  const shown = kind === "boolean" ? sayState(Boolean(value), { name: stream }) : withUnit(Number(value), unit);
  // A bucket that is younger than that fills its card all the same.
  const from = Math.max(until - SPARK_S, Math.min(epochs[0] ?? until, until - YOUNG_S));
  const path = sparkPath(epochs, values.map(Number), [from, until], { steps: kind === "boolean", gap: GAP_S });
  return html`
    <div class="card-line">
      <p class="card-value"><span dir="auto">${withEmoji(stream)}</span> <b dir="auto">${shown}</b></p>
      <${Spark} path=${path} label=${t("shelf.lastHour", { stream })} />
    </div>`;
}

/** @param {{bucket: BucketSummary, worst: Worst | undefined}} props */
function Card({ bucket: { key, name, tags, streams, last, rate, spark }, worst }) {
  const age = last === null ? null : now() - last;
  const live = age !== null && Math.abs(age) < LIVE_S;
  return html`
    <li class="card-place">
      <a class="card" href=${pageUrl(key)} data-bucket=${key}>
        <h2 dir="auto">${withEmoji(name || key)}</h2>
        ${name && name !== key && html`<p class="card-key" dir="auto">${key}</p>`}
        ${tags.length > 0 && html`
          <ul class="card-tags" aria-label=${t("shelf.tags")}>${tags.map((tag) => html`<li dir="auto">${withEmoji(tag)}</li>`)}</ul>`}
        ${spark && html`<${Line} spark=${spark} />`}
        <p class="card-facts">
          <span>${t("common.streams", { count: streams })}</span>
          ${rate > 0 && html`<span class="card-rate">${formatRate(rate)}</span>`}
          <span class="card-last" data-live=${String(live)}>
            <i class="dot" aria-hidden="true"></i>${age === null ? t("tiles.noValueYet") : formatAgo(age)}
          </span>
        </p>
      </a>
      ${worst && html`<${BucketBadge} bucket=${key} name=${name || key} worst=${worst} />`}
    </li>`;
}

class Shelf extends Component {
  constructor() {
    super();
    this.state = { search: "" };
    /** @type {Map<string, SparkLine>} */
    this.sparks = new Map();
    /** @type {Record<string, Worst>} by bucket */
    this.alerts = {};
    this.polled = new Polled(() => this.ask(), POLL_MS, () => this.forceUpdate());
    this.live = new LiveConnection(everywhereUrl, { onNote: (name, content) => name === "alerts" && this.take(content ?? {}) });
  }

  /** @returns {Promise<BucketsAnswer>} each bucket with its line, though only new ones travel */
  async ask() {
    const newest = Math.max(0, ...[...this.sparks.values()].map(({ made }) => made));
    const answer = await fetchBuckets(newest);
    const known = this.sparks;
    this.sparks = new Map();
    for (const bucket of answer.buckets) {
      bucket.spark ??= known.get(bucket.key);
      if (bucket.spark) this.sparks.set(bucket.key, bucket.spark);
    }
    return answer;
  }

  /** @param {Record<string, Worst>} alerts */
  take(alerts) {
    this.alerts = alerts;
    this.forceUpdate();
  }

  componentDidMount() {
    focusSearch();
    onEmoji(() => this.forceUpdate());
    this.polled.start();
    this.live.start("");
  }

  render() {
    const { answer, problem } = this.polled;
    const buckets = answer?.buckets;
    return html`
      <${SiteBar} place="buckets" badge=${html`<${PolledBadge} polled=${this.polled} />`}>
        ${buckets && buckets.length >= SEARCH_FROM && html`
          <input class="search" type="search" placeholder=${t("shelf.find")} aria-label=${t("shelf.find")}
            onInput=${(/** @type {any} */ event) => this.setState({ search: event.target.value })} />`}
      <//>
      <${BridgeNotice} />
      <div role="status">
        ${problem === "failed" && html`<p class="notice" data-notice="connection">${t("common.serverGone")}</p>`}
      </div>
      <main class="shelf" data-view="shelf" data-loaded=${String(answer !== null)} data-stale=${String(problem === "failed")}>
        <${FigureShelf} />
        ${this.renderBuckets()}
      </main>`;
  }

  renderBuckets() {
    const { answer, problem } = this.polled;
    const { search } = this.state;
    if (problem === "denied") return html`<${Denied} />`;
    if (answer === null) return null;
    const { buckets } = answer;
    if (buckets.length === 0) return html`<${Welcome} />`;
    const wanted = search.trim().toLowerCase();
    const found = buckets.filter(({ key, name, tags }) => [name, key, ...tags].join("\n").toLowerCase().includes(wanted));
    if (found.length === 0) return html`<p class="nothing">${t("shelf.notFound", { search: search.trim() })}</p>`;
    const streams = found.reduce((sum, one) => sum + one.streams, 0);
    return html`
      <p class="summary">
        ${t("shelf.summary", { buckets: t("common.buckets", { count: found.length }), streams: t("common.streams", { count: streams }) })}
      </p>
      <ul class="cards">${found.map((bucket) => html`<${Card} key=${bucket.key} bucket=${bucket} worst=${this.alerts[bucket.key]} />`)}</ul>`;
  }
}

/** @param {HTMLElement} root */
export async function showShelf(root) {
  await useStyles("shelf", "figure");
  render(html`<${Shelf} />`, root);
}
