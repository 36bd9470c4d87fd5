/** The figures on the shelf, where there are any. */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { fetchFigures, figureUrl } from "../api.js";
import { now } from "../clock.js";
import { formatAgo } from "../format.js";
import { t } from "../i18n.js";

const POLL_MS = 5000;
const LIVE_S = 15;

/** @typedef {{figure: string, title: string, traces: string[], last: number | null}} FigureSummary */

/** @param {{summary: FigureSummary}} props */
function Card({ summary: { figure, title, traces, last } }) {
  const age = last === null ? null : now() - last;
  return html`
    <li>
      <a class="card" href=${figureUrl(figure)} data-figure=${figure}>
        <h2 dir="auto">${title || figure}</h2>
        ${title && title !== figure && html`<p class="card-key" dir="auto">${figure}</p>`}
        <p class="card-facts">
          <span>${t("shelf.traces", { count: traces.length })}</span>
          <span class="card-last" data-live=${String(age !== null && age < LIVE_S)}>
            <i class="dot" aria-hidden="true"></i>${age === null ? t("shelf.noPointYet") : formatAgo(age)}
          </span>
        </p>
      </a>
    </li>`;
}

export class FigureShelf extends Component {
  constructor() {
    super();
    this.state = { figures: /** @type {FigureSummary[]} */ ([]) };
  }

  componentDidMount() {
    document.addEventListener("visibilitychange", () => document.hidden || this.poll());
    this.poll();
  }

  async poll() {
    clearTimeout(this.timer);
    try {
      this.setState({ figures: (await fetchFigures()).figures });
    } catch {
      // The shelf itself says that the server does not answer.
    }
    if (!document.hidden) this.timer = setTimeout(() => this.poll(), POLL_MS);
  }

  render() {
    const { figures } = this.state;
    if (figures.length === 0) return null;
    return html`
      <section class="figures" aria-label=${t("shelf.figures")}>
        <p class="summary">${t("shelf.drawn", { count: figures.length })}</p>
        <ul class="cards">${figures.map((summary) => html`<${Card} key=${summary.figure} summary=${summary} />`)}</ul>
      </section>`;
  }
}
