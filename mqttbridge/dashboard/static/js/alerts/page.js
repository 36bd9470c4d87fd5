/** The page of alerts: every rule with its streams, what fired, and the form to make or change one. */

/** @import { AlertsAnswer, Firing, RuleEntry } from "./types.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { ApiError } from "../api.js";
import { t } from "../i18n.js";
import { useStyles } from "../styles.js";
import { SiteBar } from "../views/site-bar.js";
import { Denied } from "../views/welcome.js";
import { endSilence, fetchAlerts, fetchHistory, removeRule, silence } from "./api.js";
import { RuleCard, standingOf } from "./card.js";
import { RuleForm } from "./form.js";
import { HistoryList } from "./history.js";

const POLL_MS = 3000;

const ORDER = ["firing", "pending", "unknown", "ok", "disabled"];

/** @typedef {{bucket: string, stream: string}} Of */
/** @typedef {Of & {entry: RuleEntry | null}} Editing */

/**
 * @param {RuleEntry} entry
 * @param {Of | null} of
 */
const watches = ({ states }, of) => of !== null && states.some(({ bucket, stream }) => bucket === of.bucket && stream === of.stream);

class AlertsPage extends Component {
  constructor() {
    super();
    const query = new URLSearchParams(location.search);
    const [bucket, stream] = [query.get("bucket"), query.get("stream")];
    /** @type {Of | null} what the address asks for: the alerts on this stream, or a new one where there is none */
    this.wanted = bucket !== null && stream !== null ? { bucket, stream } : null;
    this.state = {
      answer: /** @type {AlertsAnswer | null} */ (null), firings: /** @type {Firing[]} */ ([]),
      editing: /** @type {Editing | null} */ (null), problem: "", said: "",
    };
  }

  componentDidMount() {
    document.title = `${t("alerts.title")} · mqttbridge`;
    document.addEventListener("visibilitychange", () => document.hidden || this.poll());
    this.poll();
  }

  async poll() {
    clearTimeout(this.timer);
    try {
      const [answer, { firings }] = await Promise.all([fetchAlerts(), fetchHistory()]);
      this.setState({ answer, firings, problem: "" });
      if (this.wanted && !this.asked && !answer.rules.some((entry) => watches(entry, this.wanted))) this.open(null);
      this.asked = true;
    } catch (error) {
      const denied = error instanceof ApiError && (error.status === 401 || error.status === 403);
      this.setState({ problem: denied ? "denied" : "failed" });
    }
    if (!document.hidden) this.timer = setTimeout(() => this.poll(), POLL_MS);
  }

  /** @param {RuleEntry | null} entry null: a new one */
  open(entry) {
    this.setState({ editing: { entry, ...(this.wanted ?? { bucket: "*", stream: "" }) }, said: "" });
  }

  close() {
    this.setState({ editing: null });
    this.poll();
  }

  /** @param {Promise<any>} work */
  async attempt(work) {
    try {
      await work;
      this.setState({ said: "" });
    } catch (error) {
      this.setState({ said: error instanceof Error ? error.message : String(error) });
    }
    this.poll();
  }

  render() {
    const { answer, firings, editing, problem, said } = this.state;
    return html`
      <${SiteBar} place="alerts">
        <button class="button button-strong" type="button" data-action="new" disabled=${answer === null}
          onClick=${() => this.open(null)}>${this.wanted ? t("alerts.newHere", { stream: this.wanted.stream }) : t("alerts.new")}</button>
      <//>
      <div role="status">
        ${problem === "failed" && html`<p class="notice" data-notice="connection">${t("common.serverGone")}</p>`}
        ${said && html`<p class="notice" data-notice="said" dir="auto">${said}</p>`}
      </div>
      <main class="alerts" data-view="alerts" data-loaded=${String(answer !== null)}>
        ${problem === "denied" && answer === null && html`<${Denied} />`}
        ${answer !== null && this.renderRules(answer)}
        ${answer !== null && html`<${HistoryList} firings=${firings} />`}
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
    // Those of the stream that one came from stand first.
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
  await useStyles("alerts");
  render(html`<${AlertsPage} />`, root);
}
