/** Every share link, with what it shows and when it was last opened. New ones are made on the board itself. */

/** @import { Link } from "../access/api.js" */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { fetchLinks } from "../access/api.js";
import { inWords } from "../access/words.js";
import { pageUrl } from "../api.js";
import { withEmoji } from "../emoji.js";
import { t } from "../i18n.js";
import { LinkEntry } from "../share/link-entry.js";

export class Links extends Component {
  constructor() {
    super();
    this.state = { links: /** @type {Link[] | null} */ (null), problem: "" };
  }

  componentDidMount() {
    this.load();
  }

  async load() {
    try {
      this.setState({ links: (await fetchLinks()).links, problem: "" });
    } catch (error) {
      this.setState({ problem: inWords(error) });
    }
  }

  render() {
    const { links, problem } = this.state;
    return html`
      <section class="section" aria-labelledby="links" data-section="links">
        <h2 id="links">${t("settings.links.title")}</h2>
        <p class="hint">${t("settings.links.about")}</p>
        ${links?.length === 0 && html`<p class="none">${t("settings.links.none")}</p>`}
        <ul class="entries">
          ${links?.map((/** @type {Link} */ link) => html`
            <${LinkEntry} key=${link.id} link=${link} onRevoked=${() => this.load()}>
              <a href=${pageUrl(link.bucket)} dir="auto">${withEmoji(link.bucket)}</a>
            <//>`)}
        </ul>
        <p class="problem" role="alert">${problem}</p>
      </section>`;
  }
}
