/** What lies over a tile while the board is arranged. */

/** @import { Placed } from "./grid.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { afterHolding, keepStill } from "./drag.js";
import { DownIcon, EditIcon, GripIcon, RemoveIcon, UpIcon } from "../views/icons.js";

/**
 * @param {{
 *   tile: Placed, name: string, narrow: boolean, onEdit: () => void, onRemove: () => void, onStep: (step: -1 | 1) => void,
 *   onGrab: (event: PointerEvent, what: "move" | "resize") => void, onKey: (event: KeyboardEvent) => void,
 * }} props
 */
export function CellTools({ name, narrow, onEdit, onRemove, onStep, onGrab, onKey }) {
  // A finger scrolls the page, unless it rests on the tile first.
  const grab = (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === "mouse") onGrab(event, "move");
    else afterHolding(event, () => onGrab(event, "move"));
  };
  const byFinger = (/** @type {PointerEvent} */ event) => event.pointerType !== "mouse" && event.preventDefault();
  return html`
    <div class="cell-tools" data-narrow=${String(narrow)}>
      <div class="cell-cover" onPointerDown=${grab} onTouchMove=${keepStill} onContextMenu=${byFinger} onDblClick=${onEdit}></div>
      <button class="cell-grip" type="button" aria-label=${t("board.handle", { name })} title=${t("board.handleKeys")}
        onPointerDown=${(/** @type {PointerEvent} */ event) => onGrab(event, "move")} onKeyDown=${onKey}
        onClick=${(/** @type {MouseEvent} */ event) => event.detail === 0 && onEdit()}><${GripIcon} /></button>
      <span class="cell-buttons">
        ${narrow && html`
          <button type="button" aria-label=${t("board.earlier", { name })} onClick=${() => onStep(-1)}><${UpIcon} /></button>
          <button type="button" aria-label=${t("board.later", { name })} onClick=${() => onStep(1)}><${DownIcon} /></button>`}
        <button type="button" data-action="edit" aria-label=${t("board.edit", { name })} title=${t("board.editShort")}
          onClick=${onEdit}><${EditIcon} /></button>
        <button type="button" data-action="remove" aria-label=${t("board.remove", { name })} title=${t("board.removeShort")}
          onClick=${onRemove}><${RemoveIcon} /></button>
      </span>
      <span class="cell-size" aria-hidden="true" onPointerDown=${(/** @type {PointerEvent} */ event) => onGrab(event, "resize")}></span>
    </div>`;
}
