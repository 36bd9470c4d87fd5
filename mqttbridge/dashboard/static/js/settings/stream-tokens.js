/** Tokens of programs that speak Plotly's streaming API: each writes one trace of one figure. */

/** @import { StreamToken } from "../access/api.js" */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { fetchStreamTokens, makeStreamToken, removeStreamToken } from "../access/api.js";
import { Copyable, Once } from "../access/once.js";
import { day, inWords } from "../access/words.js";
import { figureUrl } from "../api.js";
import { t } from "../i18n.js";

const MODES = ["lines", "markers", "lines+markers"];

export class StreamTokens extends Component {
  constructor() {
    super();
    this.state = { tokens: /** @type {StreamToken[]} */ ([]), listen: /** @type {string | null} */ (null), made: "", problem: "" };
  }

  componentDidMount() {
    this.attempt(() => this.load());
  }

  async load() {
    this.setState(await fetchStreamTokens());
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

  /** @param {SubmitEvent} event */
  make(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const given = new FormData(form);
    this.attempt(async () => {
      const { secret } = await makeStreamToken({
        figure: String(given.get("figure")),
        trace: String(given.get("trace")),
        maxpoints: Number(given.get("maxpoints")),
        mode: String(given.get("mode")),
      });
      form.reset();
      this.setState({ made: secret });
      await this.load();
    });
  }

  /** @param {StreamToken} token */
  remove(token) {
    if (!confirm(t("settings.tokens.sure", { figure: token.figure, trace: token.trace }))) return;
    this.attempt(async () => {
      await removeStreamToken(token.id);
      await this.load();
    });
  }

  render() {
    const { tokens, listen, made, problem } = this.state;
    return html`
      <section class="section" aria-labelledby="tokens" data-section="tokens">
        <h2 id="tokens">${t("settings.tokens.title")}</h2>
        <p class="hint">${listen ? t("settings.tokens.about", { listen }) : t("settings.tokens.off")}</p>
        <ul class="entries">${tokens.map((/** @type {StreamToken} */ token) => this.renderToken(token))}</ul>
        <form class="make" onSubmit=${(/** @type {SubmitEvent} */ event) => this.make(event)}>
          <label><span>${t("settings.tokens.figure")}</span><input class="input" name="figure" required maxlength="250" /></label>
          <label><span>${t("settings.tokens.trace")}</span><input class="input" name="trace" required maxlength="250" /></label>
          <label><span>${t("settings.tokens.maxpoints")}</span>
            <input class="input" name="maxpoints" type="number" min="0" max="10000" value="500" required /></label>
          <label><span>${t("settings.tokens.mode")}</span>
            <select class="input" name="mode">${MODES.map((mode) => html`<option value=${mode}>${t(`settings.tokens.mode_${mode.replace("+", "_")}`)}</option>`)}</select></label>
          <button class="button button-strong">${t("settings.tokens.make")}</button>
        </form>
        <p class="problem" role="alert">${problem}</p>
        ${made && html`<${Once} title=${t("settings.tokens.made")}><${Copyable} label=${t("settings.tokens.token")} text=${made} /><//>`}
      </section>`;
  }

  /** @param {StreamToken} token */
  renderToken(token) {
    return html`
      <li class="entry" key=${token.id} data-token=${token.id}>
        <span class="entry-name" dir="auto"><a href=${figureUrl(token.figure)}>${token.figure}</a> / ${token.trace}</span>
        <span class="entry-facts">
          ${t("settings.tokens.draws", { mode: t(`settings.tokens.mode_${token.mode.replace("+", "_")}`), count: token.maxpoints })}
          · ${t("settings.created", { day: day(token.created) })}
        </span>
        <button class="button" type="button" onClick=${() => this.remove(token)}>${t("settings.revoke")}</button>
      </li>`;
  }
}
