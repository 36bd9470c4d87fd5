/** The menu of tiles. */

import { html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { KINDS } from "../tiles/registry.js";
import { icon } from "../views/icons.js";
import { Panel } from "./panel.js";

/** @param {{onChoose: (type: string) => void, onClose: () => void}} props */
export const AddPanel = ({ onChoose, onClose }) => html`
  <${Panel} title=${t("board.addTile")} onClose=${onClose}>
    <ul class="types">
      ${KINDS.map((kind) => html`
        <li><button type="button" data-type=${kind.type} onClick=${() => onChoose(kind.type)}>
          ${icon(kind.icon)}
          <span><strong>${t(`tiles.${kind.type}.name`)}</strong><small>${t(`tiles.${kind.type}.about`)}</small></span>
        </button></li>`)}
    </ul><//>`;
