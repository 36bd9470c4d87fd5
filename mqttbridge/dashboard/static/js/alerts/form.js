/** The form of a rule, with what it means in a sentence and what it would have done today. */

/** @import { AlertsAnswer, Notice, Preview, RuleEntry } from "./types.js" */
/** @import { Draft, Time } from "./draft.js" */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { fetchBuckets, fetchStreams } from "../api.js";
import { t } from "../i18n.js";
import { changeRule, createRule, previewRule, testRule } from "./api.js";
import { draftOf, fieldsOf, KINDS, ruleOf } from "./draft.js";
import { NoticeMark } from "./history.js";
import { conditionName, sentence } from "./words.js";

const LEVELS = /** @type {const} */ (["info", "warning", "critical"]);
const UNITS = /** @type {[number, string][]} */ ([[1, "seconds"], [60, "minutes"], [3600, "hours"], [86400, "days"]]);

/** After the last key for so long, the server is asked what the rule would have done. */
const PREVIEW_AFTER_MS = 500;

/** @typedef {{editing: {entry: RuleEntry | null, bucket: string, stream: string}, answer: AlertsAnswer, onClose: () => void}} Props */

export class RuleForm extends Component {
  /** @param {Props} props */
  constructor(props) {
    super(props);
    const { entry, bucket, stream } = props.editing;
    const names = props.answer.actions.map(({ name }) => name);
    this.state = {
      draft: draftOf(entry?.rule ?? null, { bucket, stream }, names.slice(0, 1)), said: "", busy: false,
      preview: /** @type {Preview | null} */ (null), tested: /** @type {Notice[]} */ ([]),
      buckets: /** @type {string[]} */ ([]), streams: /** @type {string[]} */ ([]),
    };
    this.asked = 0;
  }

  componentDidMount() {
    /** @type {HTMLDialogElement} */ (this.base).showModal();
    fetchBuckets(0).then(({ buckets }) => this.setState({ buckets: buckets.map(({ key }) => key) })).catch(() => {});
    this.findStreams();
    this.look();
  }

  componentWillUnmount() {
    clearTimeout(this.timer);
  }

  findStreams() {
    const { bucket } = this.state.draft;
    if (bucket.includes("*")) return this.setState({ streams: [] });
    fetchStreams(bucket).then(({ streams }) => this.setState({ streams: streams.map(({ stream }) => stream) })).catch(() => {});
  }

  /** @param {Partial<Draft>} change */
  set(change) {
    this.setState({ draft: { ...this.state.draft, ...change }, said: "" }, () => {
      if ("bucket" in change) this.findStreams();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), PREVIEW_AFTER_MS);
    });
  }

  /** Ask what the rule would have done; while it makes no sense yet, say nothing. */
  async look() {
    const asked = ++this.asked;
    const complete = /** @type {HTMLElement | undefined} */ (this.base)?.querySelector("form")?.checkValidity();
    const preview = complete ? await previewRule(ruleOf(this.state.draft)).catch(() => null) : null;
    if (asked === this.asked) this.setState({ preview });
  }

  /** @param {() => Promise<void>} work */
  async attempt(work) {
    this.setState({ busy: true, said: "" });
    try {
      await work();
    } catch (error) {
      this.setState({ said: error instanceof Error ? error.message : String(error) });
    }
    this.setState({ busy: false });
  }

  /** @param {Event} event */
  save(event) {
    event.preventDefault();
    const { entry } = this.props.editing;
    this.attempt(async () => {
      const rule = ruleOf(this.state.draft);
      await (entry ? changeRule(entry.id, rule, entry.version) : createRule(rule));
      this.props.onClose();
    });
  }

  test() {
    this.attempt(async () => this.setState({ tested: (await testRule(ruleOf(this.state.draft))).notices }));
  }

  render() {
    const { draft, said, busy, tested } = this.state;
    const { entry } = this.props.editing;
    const fixed = entry !== null && !entry.editable;
    return html`
      <dialog class="dialog alert-form" aria-labelledby="alert-form-title" onClose=${this.props.onClose}>
        <form onSubmit=${(/** @type {Event} */ event) => this.save(event)}>
          <header>
            <h2 id="alert-form-title">${t(fixed ? "alerts.formFixed" : entry ? "alerts.formEdit" : "alerts.formNew")}</h2>
          </header>
          <fieldset disabled=${fixed}>
            ${this.renderWhat(draft)}
            ${this.renderCondition(draft)}
            ${this.renderTelling(draft)}
          </fieldset>
          <div class="alert-preview" role="status">
            <p dir="auto"><strong>${draft.stream ? sentence(ruleOf(draft)) : t("alerts.chooseStream")}</strong></p>
            ${this.renderPreview()}
          </div>
          ${said && html`<p class="notice" role="alert" data-notice="form" dir="auto">${said}</p>`}
          ${tested.length > 0 && html`<ul class="notice-marks">${tested.map((notice) => html`<${NoticeMark} notice=${notice} />`)}</ul>`}
          <footer>
            <button class="button" type="button" data-action="test" disabled=${busy || (draft.actions.length === 0 && draft.webhook.trim() === "")} onClick=${() => this.test()}>${t("alerts.test")}</button>
            <span class="spacer"></span>
            <button class="button" type="button" data-action="cancel" onClick=${() => /** @type {HTMLDialogElement} */ (this.base).close()}>
              ${t(fixed ? "common.close" : "alerts.cancel")}</button>
            ${!fixed && html`<button class="button button-strong" type="submit" data-action="save" disabled=${busy}>${t("alerts.save")}</button>`}
          </footer>
        </form>
      </dialog>`;
  }

  renderPreview() {
    const { preview } = this.state;
    if (!preview) return null;
    const { streams, firings, firing_now: firingNow, looked_at: lookedAt } = preview;
    if (streams === 0) return html`<p>${t("alerts.noStream")}</p>`;
    const past = t(lookedAt < streams ? "alerts.wouldHaveSome" : "alerts.wouldHave", { count: firings, looked: lookedAt });
    return html`<p>${t("alerts.takes", { count: streams })} ${past} ${firingNow > 0 && t("alerts.firesNow", { count: firingNow })}</p>`;
  }

  /** @param {Draft} draft */
  renderWhat(draft) {
    const { buckets, streams } = this.state;
    return html`
      <div class="form-row">
        ${this.field("bucket", draft, { list: "alert-buckets" })}
        ${this.field("stream", draft, { list: "alert-streams", required: true, autofocus: draft.stream === "" })}
      </div>
      <datalist id="alert-buckets">${["*", ...buckets].map((name) => html`<option value=${name}></option>`)}</datalist>
      <datalist id="alert-streams">${streams.map((name) => html`<option value=${name}></option>`)}</datalist>
      <p class="form-hint">${t("alerts.starHint")}</p>`;
  }

  /** @param {Draft} draft */
  renderCondition(draft) {
    const fields = fieldsOf(draft.is);
    return html`
      <div class="form-row">
        <label class="form-field"><span>${t("alerts.field.when")}</span>
          <select name="is" value=${draft.is} onChange=${(/** @type {any} */ event) => this.set({ is: event.target.value })}>
            ${Object.keys(KINDS).map((is) => html`<option value=${is} selected=${is === draft.is}>${t(`alerts.condition.${conditionName(is)}`)}</option>`)}
          </select></label>
        ${fields.includes("value") && this.field("value", draft, { inputmode: "decimal", required: true, autofocus: draft.stream !== "" })}
        ${fields.includes("literal") && this.field("literal", draft, { required: true })}
        ${fields.includes("text") && this.field("text", draft, { required: draft.pattern === "" })}
        ${fields.includes("pattern") && this.field("pattern", draft)}
        ${fields.includes("clear") && this.field("clear", draft, { inputmode: "decimal" })}
        ${fields.includes("within") && this.time("within", draft)}
        ${fields.includes("after") && this.time("after", draft)}
      </div>
      ${fields.includes("circle") && html`
        <div class="form-row">
          ${["lat", "lon", "radius", "margin"].map((name) => this.field(/** @type {keyof Draft} */ (name), draft, { inputmode: "decimal", required: name !== "margin" }))}
          ${this.field("longitude", draft)}
        </div>`}
      <div class="form-row">
        ${draft.is !== "no_data" && this.time("hold", draft)}
        <label class="form-field"><span>${t("alerts.field.level")}</span>
          <select name="level" value=${draft.level} onChange=${(/** @type {any} */ event) => this.set({ level: event.target.value })}>
            ${LEVELS.map((level) => html`<option value=${level} selected=${level === draft.level}>${t(`alerts.level.${level}`)}</option>`)}
          </select></label>
        ${this.field("name", draft, { maxlength: 100, placeholder: draft.stream.trim() && ruleOf({ ...draft, name: "" }).name })}
      </div>`;
  }

  /** @param {Draft} draft */
  renderTelling(draft) {
    const { actions, page_webhooks: origins } = this.props.answer;
    const toggle = (/** @type {string} */ name) =>
      this.set({ actions: draft.actions.includes(name) ? draft.actions.filter((one) => one !== name) : [...draft.actions, name] });
    return html`
      <div class="form-tell" role="group" aria-label=${t("alerts.field.actions")}>
        <span class="form-label">${t("alerts.field.actions")}</span>
        ${actions.length === 0 && origins.length === 0 && html`<p class="form-hint">${t("alerts.noActions")}</p>`}
        ${actions.map((/** @type {{name: string, type: string}} */ { name, type }) => html`
          <label class="form-check"><input type="checkbox" name=${`action-${name}`} checked=${draft.actions.includes(name)} onChange=${() => toggle(name)} />
            <span dir="auto">${name}</span> <small>${t(`alerts.type.${type}`)}</small></label>`)}
      </div>
      ${origins.length > 0 && html`<div class="form-row">${this.field("webhook", draft, { type: "url", placeholder: origins[0] === "*" ? "https://" : `${origins[0]}/` })}</div>`}
      <details class="form-more" open=${draft.message !== "" || !draft.enabled}>
        <summary>${t("alerts.moreOptions")}</summary>
        ${this.field("message", draft, { maxlength: 500, placeholder: t("alerts.messageHint") })}
        <label class="form-check"><input type="checkbox" name="tellWhenOver" checked=${draft.tellWhenOver}
          onChange=${() => this.set({ tellWhenOver: !draft.tellWhenOver })} /> ${t("alerts.field.tellWhenOver")}</label>
        <label class="form-check"><input type="checkbox" name="enabled" checked=${draft.enabled}
          onChange=${() => this.set({ enabled: !draft.enabled })} /> ${t("alerts.field.enabled")}</label>
      </details>`;
  }

  /**
   * @param {keyof Draft} name
   * @param {Draft} draft
   * @param {Record<string, any>} [more] attributes
   */
  field(name, draft, more = {}) {
    return html`
      <label class="form-field"><span>${t(`alerts.field.${name}`)}</span>
        <input name=${name} type="text" autocomplete="off" value=${draft[name]} ...${more}
          onInput=${(/** @type {any} */ event) => this.set({ [name]: event.target.value })} /></label>`;
  }

  /**
   * @param {"hold" | "within" | "after"} name
   * @param {Draft} draft
   */
  time(name, draft) {
    /** @type {Time} */
    const time = draft[name];
    const label = t(`alerts.field.${name}`);
    return html`
      <div class="form-field form-time"><span id=${`alert-${name}`}>${label}</span>
        <div>
          <input name=${name} type="text" inputmode="decimal" autocomplete="off" required=${name === "after"} value=${time.count} aria-labelledby=${`alert-${name}`}
            onInput=${(/** @type {any} */ event) => this.set({ [name]: { ...time, count: event.target.value } })} />
          <select aria-label=${t("alerts.unitOf", { field: label })} value=${time.size}
            onChange=${(/** @type {any} */ event) => this.set({ [name]: { ...time, size: Number(event.target.value) } })}>
            ${UNITS.map(([size, unit]) => html`<option value=${size} selected=${size === time.size}>${t(`alerts.unit.${unit}`)}</option>`)}
          </select>
        </div></div>`;
  }
}
