/** The topics that no rule takes, and a rule for each at the press of a button. */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { now } from "../clock.js";
import { formatAgo } from "../format.js";
import { t } from "../i18n.js";
import { Command } from "../views/command.js";
import { fetchUnmatched, listen, propose } from "./api.js";
import { Panel } from "./parts.js";
import { formatCount, formatSpan, payloadText } from "../words.js";

const POLL_MS = 2000;

export class Unmatched extends Component {
  constructor() {
    super();
    this.state = { known: /** @type {any} */ (null), topic: "", proposal: /** @type {any} */ (null), problem: "" };
  }

  componentDidMount() {
    this.poll();
  }

  componentWillUnmount() {
    clearTimeout(this.timer);
  }

  async poll() {
    clearTimeout(this.timer);
    if (!document.hidden) {
      const known = await fetchUnmatched().catch(() => null);
      if (known) this.setState({ known });
    }
    this.timer = setTimeout(() => this.poll(), POLL_MS);
  }

  /** @param {string} topic */
  async makeRule(topic) {
    this.setState({ topic, proposal: null, problem: "" });
    try {
      this.setState({ proposal: await propose(topic) });
    } catch (error) {
      this.setState({ problem: /** @type {Error} */ (error).message || t("common.noAnswer") });
    }
  }

  async listen() {
    this.setState({ problem: "" });
    try {
      await listen("#");
    } catch (error) {
      this.setState({ problem: /** @type {Error} */ (error).message || t("common.noAnswer") });
    }
    this.poll();
  }

  render() {
    const { known, problem } = this.state;
    return html`
      <${Panel} id="unmatched" title=${t("bridge.unmatched.title")} wide=${true}>
        <p class="part-note">${t("bridge.unmatched.what")}</p>
        ${known?.listening.possible && this.renderListening(known.listening)}
        ${problem && html`<p class="part-detail" role="alert">${problem}</p>`}
        ${known && known.topics.length === 0 && html`<p class="part-note">${t("bridge.unmatched.none")}</p>`}
        ${known && known.topics.length > 0 && html`
          <ul class="rows">${known.topics.map((/** @type {any} */ one) => this.renderTopic(one))}</ul>`}
        ${known?.more > 0 && html`<p class="part-note">${t("bridge.unmatched.more", { count: formatCount(known.more) })}</p>`}
      <//>`;
  }

  /** @param {any} listening */
  renderListening({ state, detail, until, heard, unmatched }) {
    const busy = state === "connecting" || state === "listening";
    return html`
      <div class="row-tools">
        <button class="button" type="button" data-action="listen" disabled=${busy} onClick=${() => this.listen()}>
          ${t(busy ? "bridge.unmatched.listening" : "bridge.unmatched.listen", { span: formatSpan(Math.max(1, until - now())) })}</button>
        <span class="part-note" role="status" data-listening=${state}>
          ${state !== "idle" && state !== "failed" && t("bridge.unmatched.heard", { heard: formatCount(heard), unmatched: formatCount(unmatched) })}
          ${detail && ` ${detail}`}
        </span>
      </div>`;
  }

  /** @param {any} one */
  renderTopic(one) {
    const { topic, proposal } = this.state;
    return html`
      <li class="row" key=${one.topic} data-topic=${one.topic}>
        <div class="row-main">
          <code class="row-name" dir="auto">${one.topic}</code>
          <code class="row-payload" dir="auto">${payloadText(one)}</code>
          <small>${t("bridge.messages", { count: formatCount(one.messages) })} · ${formatAgo(now() - one.at)}</small>
        </div>
        <button class="button" type="button" data-action="propose" onClick=${() => this.makeRule(one.topic)}>${t("bridge.unmatched.make")}</button>
        ${topic === one.topic && proposal && html`
          <div class="row-more" data-proposal=${proposal.text ? "rule" : "none"}>
            ${proposal.text ? html`
              <p class="part-note">${t("bridge.unmatched.proposed", {
                filter: proposal.topic, mapped: formatCount(proposal.mapped), messages: formatCount(proposal.messages),
                topics: proposal.topics.length,
              })}</p>
              <${Command} text=${proposal.text} />
              <p class="part-note">${t("bridge.unmatched.paste")}</p>`
            : html`<p class="part-note">${t("bridge.unmatched.noRule", { why: proposal.why })}</p>`}
          </div>`}
      </li>`;
  }
}
