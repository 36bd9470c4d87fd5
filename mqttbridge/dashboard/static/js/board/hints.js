/** What one can do with a board, said once: how to zoom, to arrange, to be alerted, to share. */

import { html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { noteSeen } from "./first-time.js";

/** @param {{editable: boolean, onClose: () => void}} props `editable`: whether the viewer may change more than what they see */
export function Hints({ editable, onClose }) {
  const zoom = matchMedia("(pointer: coarse)").matches ? "zoomByTouch" : "zoom";
  const hints = editable ? [zoom, "arrange", "alert", "share"] : [zoom];
  return html`
    <aside class="hints" aria-label=${t("board.hints.title")}>
      <ul>${hints.map((hint) => html`<li data-hint=${hint}><strong>${t(`board.hints.${hint}Short`)}</strong> ${t(`board.hints.${hint}`)}</li>`)}</ul>
      <button class="button" type="button" data-action="hints-seen" onClick=${() => (noteSeen(), onClose())}>${t("board.hints.seen")}</button>
    </aside>`;
}
