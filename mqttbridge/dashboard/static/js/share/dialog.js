/** Sharing a board: a link for others, its code for a frame, and a picture of what one sees. */

/** @import { Link } from "../access/api.js" */
/** @import { Board } from "../board.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { fetchLinks, fetchSession, makeLink } from "../access/api.js";
import { Copyable, Once } from "../access/once.js";
import { inWords } from "../access/words.js";
import { t } from "../i18n.js";
import { useStyles } from "../styles.js";
import { LinkEntry } from "./link-entry.js";
import { savePicture } from "./snapshot.js";

const DAY = 86_400;

/** How long a link may be good for: the text's name, and seconds. */
const TERMS = /** @type {[string, number | null][]} */ ([["for_ever", null], ["a_day", DAY], ["a_week", 7 * DAY], ["a_month", 30 * DAY]]);

/** @param {string} address */
export const frameCode = (address) => `<iframe src="${address}" width="800" height="600" loading="lazy"></iframe>`;

/** @typedef {{board: Board, title: string, onClose: () => void}} Props */

class ShareDialog extends Component {
  constructor() {
    super();
    this.state = {
      admin: false, guarded: true, links: /** @type {Link[]} */ ([]), origins: /** @type {string[]} */ ([]), label: "", term: "for_ever",
      made: /** @type {{url: string, embed: string} | null} */ (null), problem: "",
    };
  }

  componentDidMount() {
    this.attempt(async () => {
      const { role, keeps, guarded } = await fetchSession();
      if (role !== "admin" || !keeps) return;
      this.setState({ admin: true, guarded });
      await this.load();
    });
  }

  async load() {
    const { links, embed_origins: origins } = await fetchLinks(this.props.board.bucket);
    this.setState({ links, origins });
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
    const seconds = TERMS.find(([name]) => name === this.state.term)?.[1] ?? null;
    this.attempt(async () => {
      this.setState({ made: await makeLink(this.props.board.bucket, this.state.label, seconds), label: "" });
      await this.load();
    });
  }

  picture() {
    this.attempt(async () => {
      this.props.onClose(); // a picture of the board, not of this
      await savePicture(this.props.board, this.props.title);
    });
  }

  render() {
    const { admin, problem } = this.state;
    return html`
      <header class="dialog-head">
        <h2>${t("settings.share.title")}</h2>
        <button class="button button-icon" type="button" data-action="close" aria-label=${t("common.close")} onClick=${this.props.onClose}>×</button>
      </header>
      ${admin && this.renderLinks()}
      <section>
        <h3>${t("settings.share.here")}</h3>
        <${Copyable} label=${t("settings.share.address")} text=${location.href} />
        <p><button class="button" type="button" data-action="picture" onClick=${() => this.picture()}>${t("settings.share.picture")}</button></p>
      </section>
      <p class="problem" role="alert">${problem}</p>`;
  }

  renderLinks() {
    const { links, label, term, made, origins, guarded } = this.state;
    return html`
      <section>
        <h3>${t("settings.links.title")}</h3>
        <p class="hint">${t("settings.share.about")} ${!guarded && t("settings.share.unguarded")}</p>
        <form class="make" onSubmit=${(/** @type {Event} */ event) => this.make(event)}>
          <label><span>${t("settings.label")}</span>
            <input class="input" name="label" maxlength="100" placeholder=${t("settings.share.example")} value=${label}
              onInput=${(/** @type {any} */ event) => this.setState({ label: event.target.value })} /></label>
          <label><span>${t("settings.share.term")}</span>
            <select class="input" name="term" onChange=${(/** @type {any} */ event) => this.setState({ term: event.target.value })}>
              ${TERMS.map(([name]) => html`<option value=${name} selected=${name === term}>${t(`settings.share.${name}`)}</option>`)}
            </select></label>
          <button class="button button-strong">${t("settings.share.make")}</button>
        </form>
        ${made && html`
          <${Once} title=${t("settings.share.made")}>
            <${Copyable} label=${t("settings.share.link")} text=${location.origin + made.url} />
            ${origins.length > 0
              ? html`<${Copyable} label=${t("settings.share.frame", { sites: origins.join(", ") })} text=${frameCode(location.origin + made.embed)} />`
              : html`<p class="hint">${t("settings.share.no_frames")}</p>`}
          <//>`}
        <ul class="entries">
          ${links.map((/** @type {Link} */ link) => html`
            <${LinkEntry} key=${link.id} link=${link} onRevoked=${() => this.attempt(() => this.load())} />`)}
        </ul>
      </section>`;
  }
}

/**
 * @param {Board} board
 * @param {string} title
 */
export async function openShareDialog(board, title) {
  await useStyles("overlays", "access");
  const dialog = document.createElement("dialog");
  dialog.className = "dialog dialog-share";
  dialog.dataset.view = "share";
  dialog.setAttribute("aria-label", t("settings.share.title"));
  dialog.addEventListener("close", () => {
    render(null, dialog);
    dialog.remove();
  });
  // A click beside it closes it: the dialog's own box covers all but its backdrop.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  render(html`<div class="dialog-body"><${ShareDialog} board=${board} title=${title} onClose=${() => dialog.close()} /></div>`, dialog);
  dialog.showModal();
}
