/** Rejected messages: why, and through the rules again. The list stands still until one asks for what is newer. */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { now } from "../clock.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";
import { changeRejected, fetchRejected } from "./api.js";
import { Panel } from "./parts.js";
import { formatCount, payloadText } from "../words.js";

export class Rejected extends Component {
  constructor() {
    super();
    this.state = {
      known: /** @type {any} */ (null), reason: "", topic: "", problem: "", said: "", sure: false,
    };
  }

  componentDidMount() {
    this.load();
  }

  async load() {
    const { reason, topic } = this.state;
    try {
      this.setState({ known: await fetchRejected({ reason, topic }), problem: "" });
    } catch (error) {
      this.setState({ problem: /** @type {Error} */ (error).message });
    }
  }

  /**
   * @param {"replay" | "purge"} what
   * @param {Record<string, any>} selection
   */
  async change(what, selection) {
    this.setState({ sure: false, said: "", problem: "" });
    try {
      const done = await changeRejected(what, selection);
      const left = [...Object.entries(done.still_rejected), ...Object.entries(done.left)].map(([why, count]) => `${formatCount(Number(count))} ${why}`);
      const said = t(what === "replay" ? "bridge.rejected.replayed" : "bridge.rejected.purged", { accepted: formatCount(done.accepted), all: formatCount(done.looked_at) });
      this.setState({ said: [said, ...left].join(" · ") });
    } catch (error) {
      this.setState({ problem: /** @type {Error} */ (error).message || t("common.noAnswer") });
    }
    await this.load();
  }

  /** What is chosen by the filters, for a change of all of it. */
  get selection() {
    const { reason, topic } = this.state;
    return { ...(reason && { reason }), ...(topic && { topic }) };
  }

  render() {
    const { known, problem, said, sure } = this.state;
    const rows = known?.rows ?? [];
    return html`
      <${Panel} id="rejected" title=${t("bridge.rejected.title")} wide=${true}>
        <form class="row-tools" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); this.load(); }}>
          <select class="field" aria-label=${t("bridge.rejected.reason")}
            onChange=${(/** @type {any} */ event) => this.setState({ reason: event.target.value }, () => this.load())}>
            <option value="">${t("bridge.rejected.everyReason")}</option>
            ${Object.keys(this.props.reasons).map((reason) => html`<option value=${reason}>${reason}</option>`)}
          </select>
          <input class="field field-wide" type="search" placeholder=${t("bridge.rejected.topic")} aria-label=${t("bridge.rejected.topic")}
            onInput=${(/** @type {any} */ event) => this.setState({ topic: event.target.value.trim() })} />
          <button class="button" type="submit">${t("bridge.rejected.filter")}</button>
          <button class="button" type="button" data-action="replay-all" disabled=${rows.length === 0}
            onClick=${() => this.change("replay", this.selection)}>${t("bridge.rejected.replayAll")}</button>
          <button class="button" type="button" data-action="purge-all" disabled=${rows.length === 0}
            onClick=${() => (sure ? this.change("purge", this.selection) : this.setState({ sure: true }))}>
            ${t(sure ? "bridge.rejected.purgeSure" : "bridge.rejected.purgeAll")}</button>
        </form>
        <p class="part-note" role="status">${said}</p>
        ${problem && html`<p class="part-detail" role="alert">${problem}</p>`}
        ${known && known.kept !== this.props.count && html`
          <p><button class="button" type="button" data-action="newer" onClick=${() => this.load()}>${t("bridge.rejected.newer")}</button></p>`}
        ${known && html`<p class="part-note">${rows.length
          ? t("bridge.rejected.shown", { shown: formatCount(rows.length), kept: formatCount(known.kept) })
          : t("bridge.rejected.none")}</p>`}
        <ul class="rows">${rows.map((/** @type {any} */ row) => html`
          <li class="row" key=${row.id} data-rejected=${row.id}>
            <div class="row-main">
              <code class="row-name" dir="auto">${row.topic}</code>
              <span class="row-why" dir="auto"><b>${row.reason}</b> ${row.detail}</span>
              <code class="row-payload" dir="auto">${payloadText(row)}</code>
              <small>${formatTime(row.at, now() - row.at)} · ${row.destination
                ? t("bridge.rejected.byDestination", { name: row.destination })
                : row.rule ? t("bridge.rejected.byRule", { name: row.rule }) : t("bridge.rejected.byNobody")}</small>
            </div>
            <button class="button" type="button" data-action="replay" onClick=${() => this.change("replay", { ids: [row.id] })}>
              ${t("bridge.rejected.replay")}</button>
            <button class="button" type="button" data-action="purge" onClick=${() => this.change("purge", { ids: [row.id] })}>
              ${t("bridge.rejected.purge")}</button>
          </li>`)}</ul>
      <//>`;
  }
}
