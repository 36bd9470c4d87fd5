/** The board while it is arranged: a bar of its own, handles on each tile, a panel for what is chosen. */

/** @import { Page } from "./page.js" */
/** @import { Placed } from "./grid.js" */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { kindOf } from "../tiles/registry.js";
import { PlusIcon, RedoIcon, SettingsIcon, UndoIcon } from "../views/icons.js";
import { AddPanel } from "./add-panel.js";
import { BoardPanel } from "./board-panel.js";
import { CellTools } from "./cell-tools.js";
import { byCells, byOrder, drag } from "./drag.js";
import { move, reorder, resize } from "./grid.js";
import { GridView, NARROW } from "./grid-view.js";
import { SaveState } from "./save-state.js";
import { nameOf } from "./tile-name.js";
import { TilePanel } from "./tile-panel.js";

/** @type {Record<string, [right: number, down: number]>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @typedef {{what: "add" | "board"} | {what: "tile", id: string}} Open which panel is open */

/** @typedef {{page: Page, onDone: () => void}} Props */

export class Editing extends Component {
  constructor() {
    super();
    this.state = {
      open: /** @type {Open | null} */ (null),
      preview: /** @type {Placed[] | null} */ (null),
      lifted: "",
      said: "",
      narrow: NARROW.matches,
    };
    this.onWidth = () => this.setState({ narrow: NARROW.matches });
    this.onKey = (/** @type {KeyboardEvent} */ event) => this.key(event);
  }

  componentDidMount() {
    this.forget = this.props.page.arrangement.subscribe(() => this.forceUpdate());
    NARROW.addEventListener("change", this.onWidth);
    addEventListener("keydown", this.onKey);
  }

  componentWillUnmount() {
    this.forget();
    NARROW.removeEventListener("change", this.onWidth);
    removeEventListener("keydown", this.onKey);
  }

  get arrangement() {
    return this.props.page.arrangement;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    if (event.key === "Escape" && this.state.open) this.close();
    if (typing || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) this.undo();
    else if (key === "y" || key === "z") this.redo();
    else return;
    event.preventDefault();
  }

  undo() {
    if (!this.arrangement.canUndo) return;
    this.arrangement.undo();
    this.say(t("board.undone"));
  }

  redo() {
    if (!this.arrangement.canRedo) return;
    this.arrangement.redo();
    this.say(t("board.redone"));
  }

  close() {
    const { open } = this.state;
    this.setState({ open: null });
    const from = open?.what === "tile" ? `[data-tile="${CSS.escape(open.id)}"] ~ .cell-tools .cell-grip` : `[data-action="${open?.what}"]`;
    /** @type {HTMLElement | null} */ (document.querySelector(from))?.focus();
  }

  /** @param {string} text to those who do not see it */
  say(text) {
    this.setState({ said: text });
  }

  /** @param {string} id */
  sayPlace(id) {
    const tile = this.arrangement.tiles().find((/** @type {Placed} */ one) => one.id === id);
    if (!tile) return;
    const name = nameOf(tile);
    this.say(t("board.place", { name, column: tile.x + 1, row: tile.y + 1, width: tile.w, height: tile.h }));
  }

  /**
   * @param {KeyboardEvent} event on a tile's handle
   * @param {Placed} tile
   */
  moveByKey(event, tile) {
    const tiles = this.arrangement.tiles();
    const [right, down] = STEPS[event.key] ?? [0, 0];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (right || down) {
      const size = kindOf(tile.type)?.size ?? { minW: 1, minH: 1 };
      const changed = event.shiftKey ? resize(tiles, tile.id, tile.w + right, tile.h + down, size)
        : this.state.narrow ? reorder(tiles, tile.id, right + down > 0 ? 1 : -1)
          : move(tiles, tile.id, tile.x + right, down > 0 ? belowNext(tiles, tile) : down < 0 ? aboveLast(tiles, tile) : tile.y);
      this.put(changed, tile.id);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.remove(tile);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {Placed[]} tiles
   * @param {string} id that was moved
   * @param {string} [of] see Arrangement.setTiles: of many presses of a key one step is made, of each drag one
   */
  put(tiles, id, of = `${id} place`) {
    this.arrangement.setTiles(tiles, of);
    // An element that changes its place among others loses the focus.
    const grip = () => /** @type {HTMLElement | null} */ (document.querySelector(`[data-tile="${CSS.escape(id)}"] ~ .cell-tools .cell-grip`));
    if (document.activeElement?.closest(".cell-tools")) requestAnimationFrame(() => grip()?.focus());
    this.sayPlace(id);
  }

  /** @param {Placed} tile */
  remove(tile) {
    this.arrangement.remove(tile.id);
    this.setState({ open: null });
    this.say(t("board.removed", { name: nameOf(tile) }));
    /** @type {HTMLElement | null} */ (document.querySelector("[data-action=undo]"))?.focus();
  }

  /**
   * @param {PointerEvent} event
   * @param {"move" | "resize"} what
   * @param {Placed} tile
   */
  grab(event, what, tile) {
    if (event.button !== 0) return;
    const tiles = this.arrangement.tiles();
    const answer = !this.state.narrow ? byCells(event, what, tiles, tile)
      : what === "move" ? byOrder(event, tiles, tile) : byCells(event, "height", tiles, tile);
    this.setState({ lifted: tile.id });
    drag(event, answer, (preview) => this.setState({ preview }), (tiles) => {
      this.setState({ preview: null, lifted: "" });
      if (tiles) this.put(tiles, tile.id, "");
    });
  }

  render() {
    const { page, onDone } = this.props;
    const { open, preview, lifted, narrow, said } = this.state;
    const tiles = this.arrangement.tiles();
    const places = new Map(preview?.map((tile) => [tile.id, tile]));
    const chosen = open?.what === "tile" ? tiles.find((/** @type {Placed} */ { id }) => id === open.id) : undefined;
    const show = (/** @type {Open} */ next) => this.setState({ open: next });
    return html`
      <div class="edit-bar" role="toolbar" aria-label=${t("board.arranging")}>
        <button class="button button-strong" type="button" data-action="add" aria-label=${t("board.addTile")} onClick=${() => show({ what: "add" })}>
          <${PlusIcon} /><span>${t("board.addTile")}</span></button>
        <button class="button button-icon" type="button" data-action="undo" disabled=${!this.arrangement.canUndo}
          aria-label=${t("board.undo")} title=${t("board.undoKey")} onClick=${() => this.undo()}><${UndoIcon} /></button>
        <button class="button button-icon" type="button" data-action="redo" disabled=${!this.arrangement.canRedo}
          aria-label=${t("board.redo")} title=${t("board.redoKey")} onClick=${() => this.redo()}><${RedoIcon} /></button>
        <button class="button" type="button" data-action="board" title=${t("board.settings")} onClick=${() => show({ what: "board" })}>
          <${SettingsIcon} /><span>${t("board.settings")}</span></button>
        <small class="edit-hint">${t(narrow ? "board.arrangeHintTouch" : "board.arrangeHint")}</small>
        <${SaveState} kept=${this.arrangement.kept} />
        <button class="button button-strong edit-done" type="button" data-action="done" onClick=${onDone}>${t("board.done")}</button>
      </div>
      <p class="visually-hidden" aria-live="assertive">${said}</p>
      ${tiles.length === 0 && html`<p class="nothing">${t("board.empty")}</p>`}
      <${GridView} page=${page} lifted=${lifted || chosen?.id} dragged=${lifted} tiles=${tiles.map((/** @type {Placed} */ tile) => places.get(tile.id) ?? tile)}
        tools=${(/** @type {Placed} */ tile) => html`
          <${CellTools} tile=${tile} name=${nameOf(tile)} narrow=${narrow}
            onGrab=${(/** @type {PointerEvent} */ event, /** @type {"move" | "resize"} */ what) => this.grab(event, what, tile)}
            onKey=${(/** @type {KeyboardEvent} */ event) => this.moveByKey(event, tile)}
            onStep=${(/** @type {-1 | 1} */ step) => this.put(reorder(tiles, tile.id, step), tile.id)}
            onEdit=${() => show({ what: "tile", id: tile.id })} onRemove=${() => this.remove(tile)} />`} />
      ${chosen && html`
        <${TilePanel} key=${chosen.id} page=${page} tile=${chosen} onClose=${() => this.close()} onRemove=${() => this.remove(chosen)} />`}
      ${open?.what === "add" && html`
        <${AddPanel} onClose=${() => this.close()}
          onChoose=${(/** @type {string} */ type) => show({ what: "tile", id: this.arrangement.add(type) })} />`}
      ${open?.what === "board" && html`<${BoardPanel} page=${page} onClose=${() => this.close()} />`}`;
  }
}

/**
 * The row that brings a tile past the next one below it: by single rows, gravity would take it back.
 * @param {Placed[]} tiles
 * @param {Placed} tile
 */
function belowNext(tiles, tile) {
  const below = tiles.filter((one) => one.y >= tile.y + tile.h && one.x < tile.x + tile.w && tile.x < one.x + one.w);
  const next = below.reduce((nearest, one) => Math.min(nearest, one.y + one.h), Infinity);
  return Number.isFinite(next) ? Math.max(tile.y + 1, next - tile.h) : tile.y;
}

/**
 * @param {Placed[]} tiles
 * @param {Placed} tile
 */
function aboveLast(tiles, tile) {
  const above = tiles.filter((one) => one.y + one.h <= tile.y && one.x < tile.x + tile.w && tile.x < one.x + one.w);
  return above.reduce((nearest, one) => Math.max(nearest, one.y), 0);
}
