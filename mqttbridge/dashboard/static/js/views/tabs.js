/** The three ways to look at a bucket. The range goes along in the address. */

/** @import { Board } from "../board.js" */
/** @import { BucketView } from "../types.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { pageUrl } from "../api.js";
import { t } from "../i18n.js";

/** @type {BucketView[]} */
const VIEWS = ["board", "waves", "source"];

/** @param {{board: Board, view: BucketView}} props */
export function Tabs({ board, view }) {
  return html`
    <nav class="tabs" aria-label=${t("time.views")}>
      ${VIEWS.map((one) => html`
        <a href=${`${pageUrl(board.bucket, one)}#${board.viewport.toHash()}`} data-tab=${one}
          aria-current=${one === view ? "page" : undefined}>${t(`time.view.${one}`)}</a>`)}
    </nav>`;
}
