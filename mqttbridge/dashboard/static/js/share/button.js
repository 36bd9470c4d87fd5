/** The board's share button. What it opens is loaded when it is first pressed. */

import { html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { ShareIcon } from "../views/icons.js";

/** @param {{bucket: string, title: string}} props */
export function ShareButton({ bucket, title }) {
  const open = async () => {
    const { openShareDialog } = await import("./dialog.js");
    await openShareDialog(bucket, title);
  };
  return html`
    <button class="button button-worded" type="button" data-action="share" aria-haspopup="dialog" onClick=${open}
      aria-label=${t("settings.share.title")} title=${t("settings.share.title")}><${ShareIcon} /><span>${t("settings.share.short")}</span></button>`;
}
