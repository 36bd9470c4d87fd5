/** A message that nobody sent: what would become of it. */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { formatNumber } from "../format.js";
import { t } from "../i18n.js";
import { explain } from "./api.js";
import { Panel } from "./parts.js";

/** @param {unknown} value */
const shown = (value) => (typeof value === "number" ? formatNumber(value) : String(value));

export class Explain extends Component {
  constructor() {
    super();
    this.state = { topic: "", payload: "", answer: /** @type {any} */ (null), problem: "" };
  }

  /** @param {Event} event */
  async ask(event) {
    event.preventDefault();
    const { topic, payload } = this.state;
    try {
      this.setState({ answer: await explain(topic, payload), problem: "" });
    } catch (error) {
      this.setState({ answer: null, problem: /** @type {Error} */ (error).message || t("common.noAnswer") });
    }
  }

  render() {
    const { answer, problem } = this.state;
    return html`
      <${Panel} id="explain" title=${t("bridge.explain.title")}>
        <form class="stack" onSubmit=${(/** @type {Event} */ event) => this.ask(event)}>
          <label>${t("bridge.explain.topic")}
            <input class="field" name="topic" required autocomplete="off" spellcheck="false" placeholder="home/kitchen/climate"
              onInput=${(/** @type {any} */ event) => this.setState({ topic: event.target.value })} /></label>
          <label>${t("bridge.explain.payload")}
            <textarea class="field" name="payload" rows="3" spellcheck="false" placeholder=${'{"temperature": 21.5}'}
              onInput=${(/** @type {any} */ event) => this.setState({ payload: event.target.value })} /></label>
          <button class="button button-strong" type="submit">${t("bridge.explain.ask")}</button>
        </form>
        ${problem && html`<p class="part-detail" role="alert">${problem}</p>`}
        <div role="status">${answer && this.renderAnswer(answer)}</div>
      <//>`;
  }

  /** @param {any} answer */
  renderAnswer({ verdict, rules, nearest, rejected }) {
    return html`
      <div class="answer" data-verdict=${verdict}>
        <p><b>${t(`bridge.explain.${verdict}`)}</b></p>
        ${rejected && html`<p class="part-detail">${rejected.reason}: ${rejected.detail}</p>`}
        ${nearest && html`<p class="part-note">${t("bridge.explain.nearest", nearest)}</p>`}
        ${rules.map((/** @type {any} */ rule) => html`
          <p class="part-note">${t("bridge.explain.rule", { rule: rule.rule })}</p>
          ${rule.rejected && html`<p class="part-detail">${rule.rejected.reason}: ${rule.rejected.detail}</p>`}
          <ul class="events">${(rule.events ?? []).map((/** @type {any} */ event) => html`
            <li><code dir="auto">${rule.bucket}</code> / <code dir="auto">${event.stream}</code> = <b dir="auto">${shown(event.value)}</b></li>`)}</ul>`)}
      </div>`;
  }
}
