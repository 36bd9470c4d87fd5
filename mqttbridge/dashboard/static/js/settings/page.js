/** The settings: who one is here and how the page looks; for admins also keys, share links and stream tokens. */

/** @import { Session } from "../access/api.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { fetchSession, signOut } from "../access/api.js";
import { inWords } from "../access/words.js";
import { chooseLanguage, currentLanguage, t } from "../i18n.js";
import { useStyles } from "../styles.js";
import { currentTheme, onThemeChange, toggleTheme } from "../theme.js";
import { SiteBar } from "../views/site-bar.js";
import { Keys } from "./keys.js";
import { Links } from "./links.js";
import { StreamTokens } from "./stream-tokens.js";

/** Each by its own name, so that whoever cannot read this page finds it. */
const LANGUAGES = [["en", "English"], ["de", "Deutsch"]];

/** @param {{standing: Session}} props */
function You({ standing }) {
  const leave = async () => {
    await signOut().catch(() => null);
    location.assign("/login");
  };
  return html`
    <section class="section" aria-labelledby="you">
      <h2 id="you">${t("settings.you")}</h2>
      ${standing.guarded
        ? html`<p>${standing.label && t("settings.signed_in_as", { label: standing.label })} ${t(`settings.you_${standing.role ?? "nobody"}`)}</p>`
        : html`<p>${t("settings.open_server")}</p>`}
      ${standing.by_cookie
        ? html`<button class="button" type="button" data-action="sign-out" onClick=${leave}>${t("settings.sign_out")}</button>`
        : standing.guarded && html`<a class="button button-strong" href="/login?next=/settings">${t("settings.login.sign_in")}</a>`}
    </section>`;
}

class Look extends Component {
  componentDidMount() {
    onThemeChange(() => this.forceUpdate());
  }

  render() {
    const theme = currentTheme();
    const choose = (/** @type {string} */ wanted) => wanted !== theme && toggleTheme();
    return html`
      <section class="section" aria-labelledby="look">
        <h2 id="look">${t("settings.look")}</h2>
        <div class="rows">
          <div class="row">
            <span>${t("settings.theme")}</span>
            <div class="segments" role="group" aria-label=${t("settings.theme")}>
              ${["light", "dark"].map((one) => html`
                <button type="button" data-theme-choice=${one} aria-pressed=${String(theme === one)} onClick=${() => choose(one)}>
                  ${t(`settings.theme_${one}`)}</button>`)}
            </div>
          </div>
          <label class="row">
            <span>${t("settings.language")}</span>
            <select class="input" name="language" onChange=${(/** @type {any} */ event) => chooseLanguage(event.target.value)}>
              ${LANGUAGES.map(([tag, name]) => html`<option value=${tag} lang=${tag} selected=${currentLanguage() === tag}>${name}</option>`)}
            </select>
          </label>
        </div>
      </section>`;
  }
}

class Settings extends Component {
  constructor() {
    super();
    this.state = { standing: /** @type {Session | null} */ (null), problem: "" };
  }

  componentDidMount() {
    fetchSession().then((standing) => this.setState({ standing }), (error) => this.setState({ problem: inWords(error) }));
  }

  render() {
    const { standing, problem } = this.state;
    return html`
      <${SiteBar} place="settings" />
      <main class="settings" data-view="settings" data-loaded=${String(standing !== null)}>
        <p class="problem" role="alert">${problem}</p>
        ${standing && html`
          <div class="settings-pair"><${You} standing=${standing} /><${Look} /></div>
          ${standing.role === "admin"
            ? html`<${Links} /><${Keys} standing=${standing} /><${StreamTokens} />`
            : html`<p class="hint">${t("settings.admins_only")}</p>`}`}
      </main>`;
  }
}

/** @param {HTMLElement} root */
export async function showSettings(root) {
  await useStyles("access");
  document.title = `${t("settings.title")} · mqttbridge`;
  render(html`<${Settings} />`, root);
}
