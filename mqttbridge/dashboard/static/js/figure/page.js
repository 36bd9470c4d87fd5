/** One figure's page: its title, its chart, a legend; every viewer sees the same. */

/** @import { FeedState } from "./feed.js" */

import { onEmoji } from "../emoji.js";
import { t } from "../i18n.js";
import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { useStyles } from "../styles.js";
import { onThemeChange } from "../theme.js";
import { BackIcon } from "../views/icons.js";
import { BridgeNotice } from "../views/bridge-notice.js";
import { ThemeButton } from "../views/theme-button.js";
import { Denied } from "../views/welcome.js";
import { Chart } from "./chart.js";
import { FigureFeed } from "./feed.js";
import { Figure } from "./model.js";

const FRAME_MS = 100;
const HUES = 6;
const WORDS = { connecting: "common.state.connecting", live: "common.state.live", reconnecting: "common.state.reconnecting" };

/** Preact makes the element; what is in it is the chart's. */
class ChartView extends Component {
  shouldComponentUpdate() {
    return false;
  }

  componentDidMount() {
    onEmoji(() => this.forceUpdate());
    const parent = /** @type {HTMLElement} */ (this.base);
    this.chart = new Chart(parent, this.props.figure);
    onThemeChange(() => this.chart?.recolour());
    this.paint();
  }

  paint() {
    this.chart?.paint();
    setTimeout(() => requestAnimationFrame(() => this.paint()), FRAME_MS);
  }

  render() {
    return html`<div class="figure-chart" role="img" aria-label=${t("figure.chart")}></div>`;
  }
}

/** @param {{figure: Figure}} props */
function Legend({ figure }) {
  return html`
    <ul class="figure-legend" aria-label=${t("figure.traces")}>
      ${[...figure.traces.values()].map((trace, i) => html`
        <li class=${`hue-${i % HUES}`} key=${trace.label} data-trace=${trace.label}
          data-points=${String(trace.x.length)} data-mode=${trace.style.mode ?? "lines"}>
          <i class="dot" style=${colourStyle(trace.style)} aria-hidden="true"></i><span dir="auto">${trace.label}</span>
        </li>`)}
    </ul>`;
}

/**
 * Set through the DOM (an object, not a text), which takes colours and nothing else.
 * @param {import("./model.js").Style} style
 */
function colourStyle({ mode, line, marker }) {
  const color = mode === "markers" ? marker?.color ?? line?.color : line?.color ?? marker?.color;
  return color ? { color } : {};
}

class FigurePage extends Component {
  constructor() {
    super();
    this.figure = new Figure();
    this.state = { feed: /** @type {FeedState} */ ("connecting"), loaded: false };
  }

  componentDidMount() {
    new FigureFeed(this.props.name, {
      onFigure: (frame) => this.took(() => this.figure.replace(frame)),
      onChange: (frame) => this.took(() => this.figure.change(frame)),
      onState: (feed) => feed !== this.state.feed && this.setState({ feed }),
    }).start();
  }

  /** @param {() => void} take */
  took(take) {
    take();
    this.setState({ loaded: true });
    const title = this.figure.layout.title || this.props.name;
    document.title = `${title} · mqttbridge`;
  }

  render() {
    const { feed, loaded } = this.state;
    const { layout } = this.figure;
    return html`
      <header class="bar">
        <div class="bar-title">
          <a class="button button-icon" href="/" aria-label=${t("common.allBuckets")} title=${t("common.allBuckets")}><${BackIcon} /></a>
          <h1 dir="auto">${layout.title || this.props.name}</h1>
          ${feed in WORDS && html`<p class="badge" role="status" data-state=${feed}>
            <i class="dot" aria-hidden="true"></i>${t(WORDS[/** @type {keyof typeof WORDS} */ (feed)])}</p>`}
        </div>
        <div class="bar-tools">
          <a class="button" href=${`/b/${encodeURIComponent(this.props.name)}`}>${t("figure.history")}</a>
          <${ThemeButton} />
        </div>
      </header>
      <${BridgeNotice} />
      <main class="figure" data-view="figure" data-loaded=${String(loaded)}
        data-x-title=${layout.xaxis?.title ?? ""} data-y-title=${layout.yaxis?.title ?? ""}>
        ${this.renderFigure(feed)}
      </main>`;
  }

  /** @param {FeedState} feed */
  renderFigure(feed) {
    if (feed === "denied") return html`<${Denied} />`;
    if (feed === "unknown") return html`<p class="nothing">${t("figure.none")}</p>`;
    return html`<${Legend} figure=${this.figure} /><${ChartView} figure=${this.figure} />`;
  }
}

/**
 * @param {HTMLElement} root
 * @param {string} name
 */
export async function showFigure(root, name) {
  await useStyles("figure");
  render(html`<${FigurePage} name=${name} />`, root);
}
