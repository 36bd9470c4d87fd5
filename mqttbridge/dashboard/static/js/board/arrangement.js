/** How a bucket's page is arranged: what is changed on its board, undone and redone. */

/** @import { DashboardDocument, TileConfig } from "../types.js" */
/** @import { Board } from "../board.js" */
/** @import { Placed } from "./grid.js" */

import { groupByDevice } from "../layout.js";
import { automaticTiles } from "../tiles/automatic.js";
import { kindOf, newTile } from "../tiles/registry.js";
import { arrange, COLUMNS } from "./grid.js";
import { KeptBoard } from "./kept.js";

/** Steps that can be undone. */
const MAX_STEPS = 100;

/** Changes of the same thing this close together are one step: a word that is typed, a tile that is moved by keys. */
const ONE_STEP_MS = 1500;

/** @type {DashboardDocument} */
const EMPTY = { title: "", auto: true, columns: 12, background: null, hidden: [], tiles: [] };

/** @typedef {DashboardDocument | null} Step null: the board that makes itself */

export class Arrangement {
  /** @param {Board} board */
  constructor(board) {
    this.board = board;
    this.kept = new KeptBoard(board.bucket, () => this._forgetSteps());
    /** @type {Step[]} */
    this._past = [];
    /** @type {Step[]} */
    this._future = [];
    this._step = { of: "", at: 0 };
    /** Of each tile of the board that makes itself. */
    this._sizeOnView = sizeAmong(COLUMNS);
  }

  /**
   * So many columns the board that makes itself has on view: to begin to arrange shall not throw it about.
   * @param {number} columns
   */
  noteColumns(columns) {
    this._sizeOnView = sizeAmong(columns);
  }

  /** @param {() => void} callback */
  subscribe(callback) {
    return this.kept.subscribe(callback);
  }

  get document() {
    return this.kept.document;
  }

  get canUndo() {
    return this._past.length > 0;
  }

  get canRedo() {
    return this._future.length > 0;
  }

  /**
   * All tiles in their places, those that streams get by themselves among them.
   * @returns {Placed[]} in reading order
   */
  tiles() {
    const { tiles, auto, hidden } = this.document ?? EMPTY;
    if (!auto) return arrange(tiles);
    const known = new Set([...hidden, ...tiles.flatMap(({ streams }) => streams)]);
    const others = [...this.board.streams.values()].filter(({ name }) => !known.has(name));
    const taken = new Set(tiles.map(({ id }) => id));
    const own = groupByDevice(others).flatMap(({ streams }) => automaticTiles(streams)).filter(({ id }) => !taken.has(id));
    return arrange([...tiles, ...(this.document ? own : own.map((tile) => ({ ...tile, ...this._sizeOnView })))]);
  }

  // --- changes

  /**
   * @param {TileConfig[]} tiles all of them
   * @param {string} [of] what is changed: see ONE_STEP_MS
   */
  setTiles(tiles, of = "") {
    this.change({ tiles: arrange(tiles) }, of);
  }

  /**
   * @param {string} id
   * @param {Partial<TileConfig>} patch
   */
  configure(id, patch) {
    const tiles = this.tiles().map((tile) => (tile.id === id ? { ...tile, ...patch } : tile));
    this.change({ tiles, hidden: without(this.document?.hidden ?? [], patch.streams ?? []) }, `${id} ${Object.keys(patch)}`);
  }

  /**
   * @param {string} type
   * @param {string[]} [streams]
   * @returns {string} its id
   */
  add(type, streams = []) {
    const kind = kindOf(type);
    if (!kind) return "";
    const tile = newTile(kind, newId(), streams);
    this.change({ tiles: arrange([...this.tiles(), tile]), hidden: without(this.document?.hidden ?? [], streams) });
    return tile.id;
  }

  /**
   * Remove a tile. Its streams do not come back by themselves.
   * @param {string} id
   */
  remove(id) {
    const tiles = this.tiles();
    const rest = tiles.filter((tile) => tile.id !== id);
    const shown = new Set(rest.flatMap(({ streams }) => streams));
    const gone = tiles.filter((tile) => tile.id === id).flatMap(({ streams }) => streams)
      .filter((name) => !shown.has(name) && !name.startsWith("="));
    this.change({ tiles: arrange(rest), hidden: [...new Set([...(this.document?.hidden ?? []), ...gone])] });
  }

  /**
   * @param {Partial<DashboardDocument>} patch
   * @param {string} [of] what is changed: see ONE_STEP_MS
   */
  change(patch, of = "") {
    this._put({ ...(this.document ?? { ...EMPTY, tiles: this.tiles() }), ...patch }, of);
  }

  /** The board makes itself again. */
  makeAutomatic() {
    this._put(null, "");
  }

  /** @param {DashboardDocument} document from a file, or an earlier version */
  replace(document) {
    this._put({ ...EMPTY, ...document }, "");
  }

  undo() {
    this._go(this._past, this._future);
  }

  redo() {
    this._go(this._future, this._past);
  }

  /**
   * @param {Step} document
   * @param {string} of
   */
  _put(document, of) {
    const at = performance.now();
    const same = of !== "" && of === this._step.of && at - this._step.at < ONE_STEP_MS;
    if (!same || !this._past.length) this._past = [...this._past, this.document].slice(-MAX_STEPS);
    this._step = { of, at };
    this._future = [];
    this.kept.put(document);
  }

  /**
   * @param {Step[]} from
   * @param {Step[]} to
   */
  _go(from, to) {
    const document = from.pop();
    if (document === undefined) return;
    to.push(this.document);
    this._step = { of: "", at: 0 };
    this.kept.put(document);
  }

  _forgetSteps() {
    this._past = [];
    this._future = [];
  }
}

/**
 * As wide as on view, but of a size that suits other screens as well: a phone has one column, and a wall has many.
 * @param {number} columns
 */
const sizeAmong = (columns) => ({ w: columns > 3 ? COLUMNS / 4 : COLUMNS / 3, h: 3 });

/**
 * @param {string[]} names
 * @param {string[]} others
 */
const without = (names, others) => names.filter((name) => !others.includes(name));

const newId = () => [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => (byte % 36).toString(36)).join("");
