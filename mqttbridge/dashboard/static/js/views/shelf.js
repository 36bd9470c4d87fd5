/** The shelf: every bucket as a card, the most recently active first. */

/** @import { BucketSummary } from "../types.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { ApiError, fetchBuckets, pageUrl } from "../api.js";
import { now } from "../clock.js";
import { onEmoji, withEmoji } from "../emoji.js";
import { FigureShelf } from "../figure/shelf.js";
import { formatAgo, plural } from "../format.js";
import { useStyles } from "../styles.js";
import { BridgeNotice } from "./bridge-notice.js";
import { focusSearch } from "./search.js";
import { SiteBar } from "./site-bar.js";
import { Denied, Welcome } from "./welcome.js";

const POLL_MS = 3000;

/** A bucket that got a value in the last so many seconds is live. */
const LIVE_S = 15;

/** From this many buckets on, one searches rather than looks. */
const SEARCH_FROM = 7;

/** @param {{bucket: BucketSummary}} props */
function Card({ bucket: { key, name, tags, streams, last } }) {
  const age = last === null ? null : now() - last;
  const live = age !== null && age < LIVE_S;
  return html`
    <li>
      <a class="card" href=${pageUrl(key)} data-bucket=${key}>
        <h2 dir="auto">${withEmoji(name || key)}</h2>
        ${name && name !== key && html`<p class="card-key" dir="auto">${key}</p>`}
        ${tags.length > 0 && html`
          <ul class="card-tags" aria-label="Tags">${tags.map((tag) => html`<li dir="auto">${withEmoji(tag)}</li>`)}</ul>`}
        <p class="card-facts">
          <span>${plural(streams, "stream")}</span>
          <span class="card-last" data-live=${String(live)}>
            <i class="dot" aria-hidden="true"></i>${age === null ? "no value yet" : formatAgo(age)}
          </span>
        </p>
      </a>
    </li>`;
}

class Shelf extends Component {
  constructor() {
    super();
    this.state = { buckets: /** @type {BucketSummary[] | null} */ (null), problem: "", search: "" };
  }

  componentDidMount() {
    document.addEventListener("visibilitychange", () => document.hidden || this.poll());
    focusSearch();
    onEmoji(() => this.forceUpdate());
    this.poll();
  }

  async poll() {
    clearTimeout(this.timer);
    try {
      const { buckets } = await fetchBuckets();
      this.setState({ buckets, problem: "" });
    } catch (error) {
      const denied = error instanceof ApiError && (error.status === 401 || error.status === 403);
      this.setState({ problem: denied ? "denied" : "failed" });
    }
    if (!document.hidden) this.timer = setTimeout(() => this.poll(), POLL_MS);
  }

  render() {
    const { buckets, problem } = this.state;
    return html`
      <${SiteBar} place="buckets">
        ${buckets && buckets.length >= SEARCH_FROM && html`
          <input class="search" type="search" placeholder="Find a bucket" aria-label="Find a bucket"
            onInput=${(/** @type {any} */ event) => this.setState({ search: event.target.value })} />`}
      <//>
      <${BridgeNotice} />
      <div role="status">
        ${problem === "failed" && html`<p class="notice" data-notice="connection">The server does not answer. Trying again…</p>`}
      </div>
      <main class="shelf" data-view="shelf" data-loaded=${String(buckets !== null)}>
        <${FigureShelf} />
        ${this.renderBuckets()}
      </main>`;
  }

  renderBuckets() {
    const { buckets, problem, search } = this.state;
    if (problem === "denied") return html`<${Denied} />`;
    if (buckets === null) return null;
    if (buckets.length === 0) return html`<${Welcome} />`;
    const wanted = search.trim().toLowerCase();
    const found = buckets.filter(({ key, name, tags }) => [name, key, ...tags].join("\n").toLowerCase().includes(wanted));
    if (found.length === 0) return html`<p class="nothing">No bucket's name has “${search.trim()}” in it.</p>`;
    return html`
      <p class="summary">
        ${plural(found.length, "bucket")} with ${plural(found.reduce((sum, { streams }) => sum + streams, 0), "stream")}
      </p>
      <ul class="cards">${found.map((bucket) => html`<${Card} key=${bucket.key} bucket=${bucket} />`)}</ul>`;
  }
}

/** @param {HTMLElement} root */
export async function showShelf(root) {
  await useStyles("shelf", "figure");
  render(html`<${Shelf} />`, root);
}
