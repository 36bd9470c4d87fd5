/** A dialog over the page. The browser's own: it keeps the focus, and Esc closes it. */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { useStyles } from "../styles.js";
import { CloseIcon } from "./icons.js";

await useStyles("overlays");

/** Props: `title`, `name` (for styles and tests), `onClose`, children. */
export class Dialog extends Component {
  componentDidMount() {
    const dialog = /** @type {HTMLDialogElement} */ (this.base);
    dialog.showModal();
    // Beside it: a click on the backdrop is one on the dialog itself.
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => this.props.onClose());
  }

  render() {
    const { title, name, children } = this.props;
    const close = () => /** @type {HTMLDialogElement} */ (this.base).close();
    return html`
      <dialog class=${`dialog dialog-${name}`} data-dialog=${name} aria-label=${title}>
        <div class="dialog-inside">
          <header class="dialog-head">
            <h2>${title}</h2>
            <button class="button button-icon" type="button" aria-label=${t("common.close")} title=${t("common.close")} onClick=${close}><${CloseIcon} /></button>
          </header>
          ${children}
        </div>
      </dialog>`;
  }
}
