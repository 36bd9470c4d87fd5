/** Signing in with a key; at the first start, making the first one. */

/** @import { Session } from "../access/api.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { fetchSession, makeFirstKey, signIn } from "../access/api.js";
import { Copyable, Once } from "../access/once.js";
import { ApiError } from "../api.js";
import { t } from "../i18n.js";
import { useStyles } from "../styles.js";

/**
 * Where to go on after signing in: an address of this server, or its first page.
 * @param {string} search
 */
export function nextPage(search) {
  const next = new URLSearchParams(search).get("next") ?? "/";
  const url = new URL(next, location.origin);
  return url.origin === location.origin && next.startsWith("/") ? url.pathname + url.search + url.hash : "/";
}

/** @param {string} problem */
function wordsFor(problem) {
  if (problem === "link") return t("settings.login.dead_link");
  return problem === "key" ? t("settings.login.wrong") : "";
}

class Login extends Component {
  constructor() {
    super();
    const problem = new URLSearchParams(location.search).get("problem") ?? "";
    this.state = { secret: "", made: "", busy: false, problem: wordsFor(problem), standing: /** @type {Session | null} */ (null) };
    this.code = new URLSearchParams(location.hash.slice(1)).get("first");
    // The code is good once: it has no place in the history.
    if (this.code) history.replaceState(null, "", location.pathname + location.search);
  }

  componentDidMount() {
    fetchSession().then((standing) => this.setState({ standing }), () => {});
  }

  /** @param {Event} event */
  async submit(event) {
    event.preventDefault();
    this.setState({ busy: true, problem: "" });
    try {
      if (this.code) {
        const { secret } = await makeFirstKey(this.code, this.state.secret);
        this.setState({ made: secret, busy: false });
      } else {
        await signIn(this.state.secret);
        location.replace(nextPage(location.search));
      }
    } catch (error) {
      const wrong = error instanceof ApiError && error.status === 401;
      const problem = wrong ? t("settings.login.wrong") : error instanceof Error ? error.message : String(error);
      this.setState({ busy: false, problem });
    }
  }

  render() {
    const { standing, made, problem } = this.state;
    return html`
      <main class="login" data-view="login">
        <h1>mqttbridge</h1>
        ${made ? this.renderMade() : standing && !standing.guarded ? this.renderOpen() : this.renderForm()}
        <p class="problem" role="alert">${problem}</p>
        ${standing?.first_start && !this.code && html`<p class="hint">${t("settings.login.first_hint")}</p>`}
      </main>`;
  }

  renderForm() {
    const first = Boolean(this.code);
    return html`
      <form class="login-form" onSubmit=${(/** @type {Event} */ event) => this.submit(event)}>
        <p>${first ? t("settings.login.first") : t("settings.login.why")}</p>
        <input hidden name="username" autocomplete="username" value="mqttbridge" readonly />
        <label>
          <span>${first ? t("settings.label") : t("settings.login.key")}</span>
          <input class="input" name=${first ? "label" : "key"} type=${first ? "text" : "password"} maxlength=${first ? 100 : 1000}
            autocomplete=${first ? "off" : "current-password"} required=${!first} autofocus value=${this.state.secret}
            onInput=${(/** @type {any} */ event) => this.setState({ secret: event.target.value })} />
        </label>
        <button class="button button-strong" disabled=${this.state.busy}>
          ${first ? t("settings.login.make") : t("settings.login.sign_in")}
        </button>
      </form>`;
  }

  renderMade() {
    return html`
      <${Once} title=${t("settings.login.made")}>
        <${Copyable} label=${t("settings.keys.key")} text=${this.state.made} />
        <p><a class="button button-strong" href=${nextPage(location.search)}>${t("settings.login.go_on")}</a></p>
      <//>`;
  }

  renderOpen() {
    return html`
      <p>${t("settings.login.open")}</p>
      <p><a class="button button-strong" href=${nextPage(location.search)}>${t("settings.login.go_on")}</a></p>`;
  }
}

/** @param {HTMLElement} root */
export async function showLogin(root) {
  await useStyles("access");
  document.title = `${t("settings.login.sign_in")} · mqttbridge`;
  render(html`<${Login} />`, root);
}
