/**
 * How a bucket's page is arranged: the document, what is undone and redone, and its way to the server.
 *
 * A change shows at once and is saved a moment later by itself. Versions keep two people apart: who saves second hears
 * of the first, and chooses.
 */

/** @import { DashboardDocument, TileConfig } from "../types.js" */
/** @import { Board } from "../board.js" */
/** @import { Placed } from "./grid.js" */
/** @import { BoardAnswer, Winner } from "./api.js" */

import { ApiError, Conflict } from "../api.js";
import { groupByDevice } from "../layout.js";
import { automaticTiles } from "../tiles/automatic.js";
import { kindOf, newTile } from "../tiles/registry.js";
import { fetchBoard, forgetBoard, saveBoard } from "./api.js";
import { arrange } from "./grid.js";

const SAVE_AFTER_MS = 400;
const SAVE_AGAIN_MS = 3000;

/** Steps that can be undone. */
const MAX_STEPS = 100;

/** Changes of the same thing this close together are one step: a word that is typed, a tile that is moved by keys. */
const ONE_STEP_MS = 1500;

/** How long it is said that somebody else changed the board. */
const NEWS_MS = 8000;

/** @type {DashboardDocument} */
const EMPTY = { title: "", auto: true, columns: 12, background: null, hidden: [], tiles: [] };

/** @typedef {DashboardDocument | null} Step null: the board that makes itself */

export class Arrangement {
  /** @param {Board} board */
  constructor(board) {
    this.board = board;
    /** @type {Step} */
    this.document = null;
    /** @type {"auto" | "saved" | "config"} */
    this.source = "auto";
    this.editable = false;
    this.loaded = false;
    /** @type {"saved" | "saving" | "failed"} */
    this.state = "saved";
    /** What went wrong, in the server's words or a text's path. */
    this.problem = "";
    /** @type {Winner | null} who saved first */
    this.winner = null;
    /** Whether somebody arranges it here: then nothing moves under their hands. */
    this.arranging = false;
    /** Whether somebody else changed it a moment ago. */
    this.changedElsewhere = false;
    this._version = 0;
    /** The version that the server told of last. */
    this._rumour = 0;
    this._news = 0;
    /** @type {Step[]} */
    this._past = [];
    /** @type {Step[]} */
    this._future = [];
    this._step = { of: "", at: 0 };
    this._timer = 0;
    this._saving = false;
    this._changes = 0;
    /** @type {Set<() => void>} */
    this._subscribers = new Set();
    addEventListener("pagehide", () => this._timer && this._save());
  }

  /** @param {() => void} callback */
  subscribe(callback) {
    this._subscribers.add(callback);
    return () => this._subscribers.delete(callback);
  }

  /** Fetch the document, instead of what is here. */
  async load() {
    try {
      this._take(await fetchBoard(this.board.bucket));
    } catch (error) {
      // A server that does not answer is said elsewhere; a bucket without streams has no document yet.
      const told = error instanceof ApiError && ![0, 401, 403, 404].includes(error.status);
      this.problem = told ? error.message : "";
      this.editable = error instanceof ApiError && error.status === 404;
    }
    this.loaded = true;
    this._tell();
  }

  /** @param {BoardAnswer} answer instead of what is here */
  _take({ version, source, document, editable }) {
    Object.assign(this, { document, source, editable, _version: version, winner: null, problem: "", state: "saved" });
    this._past = [];
    this._future = [];
  }

  /**
   * There is a version on the server, perhaps another than the one here. It is shown; where somebody arranges, they choose.
   * @param {number | null} version null: one has to ask
   */
  async hear(version) {
    this._rumour = version ?? this._rumour;
    // What is not saved yet meets the other one when it is.
    const isSettled = () => this.loaded && this.state === "saved" && !this.winner;
    if (!isSettled() || version === this._version) return;
    const before = this._version;
    const answer = await fetchBoard(this.board.bucket).catch(() => null);
    if (!answer || answer.version === this._version || !isSettled() || this._version !== before) return;
    if (this.arranging) this._lost({ version: answer.version, at: answer.at, document: answer.document ?? undefined });
    else this._takeNews(answer);
    this._tell();
  }

  /** @param {BoardAnswer} answer */
  _takeNews(answer) {
    this._take(answer);
    this.changedElsewhere = true;
    clearTimeout(this._news);
    this._news = setTimeout(() => {
      this.changedElsewhere = false;
      this._tell();
    }, NEWS_MS);
  }

  /** @param {Winner} winner */
  _lost(winner) {
    this.winner = winner;
    this.state = "failed";
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
    return arrange([...tiles, ...own]);
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

  /** What is here replaces what somebody else saved. */
  keepMine() {
    this._version = this.winner?.version ?? this._version;
    this.winner = null;
    this._saveSoon(0);
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
    this._show(document);
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
    this._show(document);
  }

  /** @param {Step} document */
  _show(document) {
    this.document = document;
    this.source = document ? "saved" : "auto";
    this._changes += 1;
    this._saveSoon(SAVE_AFTER_MS);
    this._tell();
  }

  // --- to the server

  /** @param {number} after milliseconds */
  _saveSoon(after) {
    this.state = "saving";
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._save(), after);
    this._tell();
  }

  async _save() {
    clearTimeout(this._timer);
    this._timer = 0;
    if (this._saving || this.winner) return; // it goes on when that is over
    this._saving = true;
    const changes = this._changes;
    try {
      this._version = await this._send();
      this.problem = "";
      this.state = this._changes === changes ? "saved" : "saving";
    } catch (error) {
      this._failed(error);
    } finally {
      this._saving = false;
    }
    if (this.state === "saving" && !this._timer) this._saveSoon(0);
    this._tell();
    // It may have been told of while this one was on its way.
    if (this._rumour > this._version) this.hear(this._rumour);
  }

  /** @returns {Promise<number>} the version that is there now */
  async _send() {
    const { bucket } = this.board;
    if (this.document) return (await saveBoard(bucket, this.document, this._version)).version;
    if (this._version) await forgetBoard(bucket, this._version);
    return 0;
  }

  /** @param {unknown} error */
  _failed(error) {
    this.state = "failed";
    if (error instanceof Conflict) {
      this._lost(error.winner);
    } else if (error instanceof ApiError && error.status > 0 && error.status < 500) {
      this.problem = error.status === 401 || error.status === 403 ? "board.notAllowed" : error.message;
    } else {
      this.problem = "board.notSaved";
      this._timer = setTimeout(() => this._save(), SAVE_AGAIN_MS);
    }
  }

  _tell() {
    for (const callback of this._subscribers) callback();
  }
}

/**
 * @param {string[]} names
 * @param {string[]} others
 */
const without = (names, others) => names.filter((name) => !others.includes(name));

const newId = () => [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => (byte % 36).toString(36)).join("");
