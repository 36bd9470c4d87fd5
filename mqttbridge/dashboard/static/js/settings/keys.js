/** Keys: those of the configuration, and those made here. */

/** @import { Key, Session } from "../access/api.js" */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { fetchKeys, makeKey, revokeKey } from "../access/api.js";
import { Copyable, Once } from "../access/once.js";
import { day, inWords } from "../access/words.js";
import { t } from "../i18n.js";

const ROLES = ["viewer", "sender", "admin"];

/** @typedef {{standing: Session}} Props */

export class Keys extends Component {
  constructor() {
    super();
    this.state = { keys: /** @type {Key[]} */ ([]), role: "viewer", label: "", made: "", problem: "" };
  }

  componentDidMount() {
    this.load();
  }

  async load() {
    await this.attempt(async () => this.setState({ keys: (await fetchKeys()).keys }));
  }

  /** @param {() => Promise<void>} work */
  async attempt(work) {
    try {
      await work();
      this.setState({ problem: "" });
    } catch (error) {
      this.setState({ problem: inWords(error) });
    }
  }

  /** @param {Event} event */
  make(event) {
    event.preventDefault();
    this.attempt(async () => {
      const { secret } = await makeKey(this.state.role, this.state.label);
      this.setState({ made: secret, label: "" });
      await this.load();
    });
  }

  /** @param {Key} key */
  revoke(key) {
    if (!confirm(t("settings.keys.sure", { label: key.label || t("settings.unnamed") }))) return;
    this.attempt(async () => {
      await revokeKey(key.id);
      await this.load();
    });
  }

  render() {
    const { standing } = /** @type {Props} */ (this.props);
    return html`
      <section class="section" aria-labelledby="keys" data-section="keys">
        <h2 id="keys">${t("settings.keys.title")}</h2>
        <p class="hint">${standing.guarded ? t("settings.keys.about") : t("settings.keys.about_open")}</p>
        <ul class="entries">${this.state.keys.map((key) => this.renderKey(key))}</ul>
        ${standing.keeps && this.renderForm()}
        <p class="problem" role="alert">${this.state.problem}</p>
        ${this.state.made && html`
          <${Once} title=${t("settings.keys.made")}><${Copyable} label=${t("settings.keys.key")} text=${this.state.made} /><//>`}
      </section>`;
  }

  /** @param {Key} key */
  renderKey(key) {
    return html`
      <li class="entry" key=${key.id} data-key=${key.id}>
        <span class="entry-name" dir="auto">${key.label || (key.configured ? t("settings.keys.configured") : t("settings.unnamed"))}</span>
        <span class="tag">${t(`settings.role_${key.role}`)}</span>
        <span class="entry-facts">
          ${key.created === null ? key.id : t("settings.created", { day: day(key.created) })} · ${t("settings.used", { day: day(key.used) })}
        </span>
        ${!key.configured && html`
          <button class="button" type="button" onClick=${() => this.revoke(key)}>${t("settings.revoke")}</button>`}
      </li>`;
  }

  renderForm() {
    return html`
      <form class="make" onSubmit=${(/** @type {Event} */ event) => this.make(event)}>
        <label><span>${t("settings.label")}</span>
          <input class="input" name="label" maxlength="100" placeholder=${t("settings.keys.example")} value=${this.state.label}
            onInput=${(/** @type {any} */ event) => this.setState({ label: event.target.value })} /></label>
        <label><span>${t("settings.keys.role")}</span>
          <select class="input" name="role" onChange=${(/** @type {any} */ event) => this.setState({ role: event.target.value })}>
            ${ROLES.map((role) => html`<option value=${role} selected=${role === this.state.role}>${t(`settings.role_${role}_long`)}</option>`)}
          </select></label>
        <button class="button button-strong">${t("settings.keys.make")}</button>
      </form>`;
  }
}
