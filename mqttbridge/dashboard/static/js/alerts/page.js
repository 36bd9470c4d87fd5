/** The page of alerts: every rule with its streams, what fired, and the form to make or change one. */

/** @import { AlertsAnswer, Firing, RuleEntry } from "./types.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { everywhereUrl } from "../api.js";
import { t } from "../i18n.js";
import { LiveConnection } from "../live.js";
import { Polled } from "../polled.js";
import { useStyles } from "../styles.js";
import { SiteBar } from "../views/site-bar.js";
import { Denied } from "../views/welcome.js";
import { endSilence, fetchAlerts, fetchHistory, removeRule, silence } from "./api.js";
import { RuleCard, standingOf } from "./card.js";
import { RuleForm } from "./form.js";
import { HistoryList } from "./history.js";

/** A change of a state is heard at once; values and ages may wait. */
const POLL_MS = 10_000;

const ORDER = ["firing", "pending", "unknown", "ok", "disabled"];

/** @typedef {{bucket: string, stream: string}} Of `stream` is "" for all of the bucket */
/** @typedef {Of & {entry: RuleEntry | null}} Editing */

/**
 * @param {RuleEntry} entry
 * @param {Of | null} of
 */
const watches = ({ states }, of) =>
  of !== null && states.some(({ bucket, stream }) => bucket === of.bucket && (of.stream === "" || stream === of.stream));

const askAll = async () => {
  const [answer, { firings }] = await Promise.all([fetchAlerts(), fetchHistory()]);
  return { answer, firings };
};

class AlertsPage extends Component {
  constructor() {
    super();
    const query = new URLSearchParams(location.search);
    const bucket = query.get("bucket");
    /** @type {Of | null} what the address asks for: the alerts on this stream, or a new one where there is none */
    this.wanted = bucket !== null ? { bucket, stream: query.get("stream") ?? "" } : null;
    this.asked = false;
    this.state = { editing: /** @type {Editing | null} */ (null), said: "" };
    /** @type {Polled<{answer: AlertsAnswer, firings: Firing[]}>} */
    this.polled = new Polled(askAll, POLL_MS, () => this.onAnswer());
    this.live = new LiveConnection(everywhereUrl, { onNote: (name) => name === "alerts" && this.polled.poll() });
  }

  componentDidMount() {
    document.title = `${t("alerts.title")} · mqttbridge`;
    this.polled.start();
    this.live.start("");
  }

  onAnswer() {
    const { answer } = this.polled.answer ?? {};
    if (answer && this.wanted?.stream && !this.asked && !answer.rules.some((entry) => watches(entry, this.wanted))) this.open(null);
    this.asked ||= answer !== undefined;
    this.forceUpdate();
  }

  /** @param {RuleEntry | null} entry null: a new one */
  open(entry) {
    this.setState({ editing: { entry, ...(this.wanted ?? { bucket: "*", stream: "" }) }, said: "" });
  }

  close() {
    this.setState({ editing: null });
    this.polled.poll();
  }

  /** @param {Promise<any>} work */
  async attempt(work) {
    try {
      await work;
      this.setState({ said: "" });
    } catch (error) {
      this.setState({ said: error instanceof Error ? error.message : String(error) });
    }
    this.polled.poll();
  }

  render() {
    const { editing, said } = this.state;
    const { problem } = this.polled;
    const { answer, firings } = this.polled.answer ?? { answer: null, firings: [] };
    return html`
      <${SiteBar} place="alerts">
        <button class="button button-strong" type="button" data-action="new" disabled=${answer === null}
          onClick=${() => this.open(null)}>${this.wanted?.stream ? t("alerts.newHere", { stream: this.wanted.stream }) : t("alerts.new")}</button>
      <//>
      <div role="status">
        ${(problem === "failed" || problem === "missing") && html`<p class="notice" data-notice="connection">${t("common.serverGone")}</p>`}
        ${said && html`<p class="notice" data-notice="said" dir="auto">${said}</p>`}
      </div>
      <main class="alerts" data-view="alerts" data-loaded=${String(answer !== null)}>
        ${problem === "denied" && answer === null && html`<${Denied} />`}
        ${answer !== null && this.renderRules(answer)}
        ${answer !== null && answer.rules.length + firings.length > 0 && html`<${HistoryList} firings=${firings} />`}
      </main>
      ${answer !== null && editing !== null && html`
        <${RuleForm} key=${editing.entry?.id ?? "new"} editing=${editing} answer=${answer} onClose=${() => this.close()} />`}`;
  }

  /** @param {AlertsAnswer} answer */
  renderRules({ rules, silences, actions, forgotten }) {
    if (rules.length === 0) {
      return html`
        <section class="welcome">
          <h2>${t("alerts.none")}</h2>
          <p>${t("alerts.noneYet")}</p>
          <button class="button button-strong" type="button" onClick=${() => this.open(null)}>${t("alerts.first")}</button>
        </section>`;
    }
    const doings = {
      onEdit: (/** @type {RuleEntry} */ entry) => this.open(entry),
      onRemove: (/** @type {RuleEntry} */ { id, version }) => this.attempt(removeRule(id, version)),
      onSilence: (/** @type {string} */ rule, /** @type {number} */ seconds) => this.attempt(silence({ rule, seconds })),
      onEndSilence: (/** @type {string} */ id) => this.attempt(endSilence(id)),
    };
    // Those of the stream or bucket that one came from stand first.
    const place = (/** @type {RuleEntry} */ entry) => ORDER.indexOf(standingOf(entry)) - (watches(entry, this.wanted) ? ORDER.length : 0);
    const ordered = [...rules].sort((a, b) => place(a) - place(b));
    return html`
      ${actions.filter(({ trouble }) => trouble).map(({ name, trouble }) => html`
        <p class="notice" data-notice="action" dir="auto">${t("alerts.troubled", { name, trouble })}</p>`)}
      ${forgotten > 0 && html`<p class="notice" data-notice="forgotten">${t("alerts.forgotten", { count: forgotten })}</p>`}
      <ul class="alert-cards">
        ${ordered.map((entry) => html`
          <${RuleCard} key=${entry.id} entry=${entry} doings=${doings}
            silence=${silences.find((one) => one.rule === entry.id && one.stream === null)} />`)}
      </ul>`;
  }
}

/** @param {HTMLElement} root */
export async function showAlerts(root) {
  await useStyles("overlays", "alerts");
  render(html`<${AlertsPage} />`, root);
}
