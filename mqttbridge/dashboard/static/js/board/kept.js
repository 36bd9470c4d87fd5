/**
 * A board's document: as the server keeps it, and as it is on its way there.
 *
 * A change shows at once and is saved a moment later by itself. Versions keep two people apart: what somebody else
 * saves shows here as well, unless one arranges at that moment, or has saved second; then one hears of it, and chooses.
 */

/** @import { DashboardDocument } from "../types.js" */
/** @import { BoardAnswer, Winner } from "./api.js" */

import { ApiError, Conflict } from "../api.js";
import { fetchBoard, forgetBoard, saveBoard } from "./api.js";

const SAVE_AFTER_MS = 400;
const SAVE_AGAIN_MS = 3000;

/** How long it is said that somebody else changed the board. */
const NEWS_MS = 8000;

/** Who arranges saves every other moment, and many may look on: each of them fetches about so often. */
const REST_MS = 4000;

export class KeptBoard {
  /**
   * @param {string} bucket
   * @param {() => void} onTaken the document is another than one's own changes made it
   */
  constructor(bucket, onTaken) {
    this.bucket = bucket;
    this._onTaken = onTaken;
    /** @type {DashboardDocument | null} null: the board that makes itself */
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
    this._changes = 0;
    this._saving = false;
    this._timer = 0;
    /** The version that the server told of last. */
    this._rumour = 0;
    this._hearing = 0;
    this._restUntil = 0;
    this._news = 0;
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
      this._take(await fetchBoard(this.bucket));
    } catch (error) {
      // A server that does not answer is said elsewhere; a bucket without streams has no document yet.
      const told = error instanceof ApiError && ![0, 401, 403, 404].includes(error.status);
      this.problem = told ? error.message : "";
      this.editable = error instanceof ApiError && error.status === 404;
    }
    this.loaded = true;
    this._tell();
  }

  /**
   * Show a document, and save it soon.
   * @param {DashboardDocument | null} document
   */
  put(document) {
    this.document = document;
    this.source = document ? "saved" : "auto";
    this._changes += 1;
    this._saveSoon(SAVE_AFTER_MS);
  }

  /** What is here replaces what somebody else saved. */
  keepMine() {
    this._version = this.winner?.version ?? this._version;
    this.winner = null;
    this._saveSoon(0);
  }

  /**
   * There is a version on the server, perhaps another than the one here.
   * @param {number | null} version null: one has to ask
   */
  hear(version) {
    this._rumour = version ?? this._rumour;
    clearTimeout(this._hearing);
    this._hearing = setTimeout(() => this._look(version), this.arranging ? 0 : this._restUntil - performance.now());
  }

  /** @param {number | null} version */
  async _look(version) {
    // What is not saved yet meets the other one when it is.
    const isSettled = () => this.loaded && this.state === "saved" && !this.winner;
    if (!isSettled() || version === this._version) return;
    const before = this._version;
    this._restUntil = performance.now() + REST_MS * (0.5 + Math.random());
    const answer = await fetchBoard(this.bucket).catch(() => null);
    if (!answer || answer.version === this._version || this._version !== before || !isSettled()) return;
    if (this.arranging) this._lose({ version: answer.version, at: answer.at });
    else this._takeNews(answer);
    this._tell();
  }

  /** @param {BoardAnswer} answer instead of what is here */
  _take({ version, source, document, editable }) {
    Object.assign(this, { document, source, editable, _version: version, winner: null, problem: "", state: "saved" });
    this._onTaken();
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
  _lose(winner) {
    this.winner = winner;
    this.state = "failed";
  }

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
    if (this.document) return (await saveBoard(this.bucket, this.document, this._version)).version;
    if (this._version) await forgetBoard(this.bucket, this._version);
    return 0;
  }

  /** @param {unknown} error */
  _failed(error) {
    this.state = "failed";
    if (error instanceof Conflict) {
      this._lose(error.winner);
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
