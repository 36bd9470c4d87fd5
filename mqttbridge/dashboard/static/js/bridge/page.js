/** What the bridge is doing: the flow, drawn live, and everything one wants to know when it does not flow. */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { Polled } from "../polled.js";
import { useStyles } from "../styles.js";
import { BridgeNotice } from "../views/bridge-notice.js";
import { PolledBadge } from "../views/polled-badge.js";
import { SiteBar } from "../views/site-bar.js";
import { Denied } from "../views/welcome.js";
import { fetchBridge } from "./api.js";
import { Explain } from "./explain.js";
import { Flow } from "./flow.js";
import { Log } from "./log.js";
import { Destinations, Drops, Rules, Sources, Spool } from "./parts.js";
import { Rejected } from "./rejected.js";
import { Unmatched } from "./unmatched.js";
import { formatSpan } from "../words.js";

const POLL_MS = 1000;

/** The small charts move by five seconds: asked for no more often. */
const CHARTS_EVERY = 5;

class BridgePage extends Component {
  constructor() {
    super();
    this.polls = 0;
    this.charts = {};
    this.polled = new Polled(() => this.ask(), POLL_MS, () => this.forceUpdate());
  }

  async ask() {
    const status = await fetchBridge(this.polls++ % CHARTS_EVERY === 0);
    if (status.charts) this.charts = status.charts;
    return { ...status, charts: this.charts };
  }

  componentDidMount() {
    this.polled.start();
  }

  /** Once the parts are there, the one that the address names. */
  componentDidUpdate() {
    if (this.arrived || !this.polled.answer) return;
    this.arrived = true;
    if (location.hash.length > 1) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }

  render() {
    const { answer: status, problem, state } = this.polled;
    return html`
      <${SiteBar} place="bridge" badge=${html`<${PolledBadge} polled=${this.polled} />`} />
      <${BridgeNotice} />
      <main class="bridge" data-view="bridge" data-loaded=${String(status !== null)} data-stale=${String(state === "reconnecting" || state === "stale")}>
        ${problem === "denied" ? html`<${Denied} />` : problem === "missing" && !status
          ? html`<p class="nothing">${t("bridge.none")}</p>` : status && this.renderParts(status)}
      </main>`;
  }

  /** @param {Record<string, any>} status */
  renderParts(status) {
    return html`
      <p class="summary"><span>${t("bridge.summary", { version: status.version, span: formatSpan(status.now - status.started) })}</span></p>
      <${Flow} status=${status} />
      <div class="panels">
        <${Sources} status=${status} /><${Spool} status=${status} /><${Destinations} status=${status} />
        <${Rules} status=${status} />
        <${Unmatched} />
        <${Rejected} count=${status.rejected} reasons=${status.rejections} />
        <${Explain} /><${Drops} status=${status} />
        <${Log} />
      </div>`;
  }
}

/** @param {HTMLElement} root */
export async function showBridge(root) {
  document.title = `${t("bridge.title")} · mqttbridge`;
  await useStyles("bridge");
  render(html`<${BridgePage} />`, root);
}
