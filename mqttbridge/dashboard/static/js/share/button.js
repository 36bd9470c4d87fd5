/** The board's share button. What it opens is loaded when it is first pressed. */

/** @import { Board } from "../board.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { ShareIcon } from "../views/icons.js";

/** @param {{board: Board, title: string}} props */
export function ShareButton({ board, title }) {
  const open = async () => {
    const { openShareDialog } = await import("./dialog.js");
    await openShareDialog(board, title);
  };
  return html`
    <button class="button button-worded" type="button" data-action="share" aria-haspopup="dialog" onClick=${open}
      aria-label=${t("settings.share.title")} title=${t("settings.share.title")}><${ShareIcon} /><span>${t("settings.share.short")}</span></button>`;
}
