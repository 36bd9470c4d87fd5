/**
 * A tile: its title, age and state around what its type draws.
 *
 * The frame asks for the streams' points, says how fresh they are, and answers the type's questions: which
 * streams, which colour, which unit. A view lives while its tile is in view; its module is loaded on its first use.
 */

/** @import { Level, Span, Threshold, TileConfig, TileView } from "../types.js" */
/** @import { Board } from "../board.js" */
/** @import { Stream } from "../stream.js" */
/** @import { Hues } from "../layout.js" */

import { now } from "../clock.js";
import { el, setAttribute, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { decimalsFor, formatAge, formatNumber, formatTime } from "../format.js";
import { t } from "../i18n.js";
import { sayState } from "../said.js";
import { alertBadge } from "../alerts/badge.js";
import { colourOf, giveHue, hueName } from "./colours.js";
import { dataButton, listenForTable } from "./data-button.js";
import { kindOf, typeNow } from "./registry.js";

/** A number is quiet after this many of its usual intervals, and never before this many seconds. */
const QUIET_INTERVALS = 5;
const QUIET_MIN_S = 30;

/** How often the description that screen readers find is brought up to date: they would read each change. */
const DESCRIBE_S = 10;

export class Tile {
  /**
   * @param {HTMLElement} root
   * @param {TileConfig} config
   * @param {Board} board
   * @param {Hues} hues
   * @param {boolean} [showDevice] whether the tile stands alone, not under its device's name
   */
  constructor(root, config, board, hues, showDevice = false) {
    this.root = root;
    this.config = config;
    this.board = board;
    this._hues = hues;
    /** @type {Stream[]} those of the configuration's that there are */
    this.streams = [];
    /** Of the values on view, from the least to the greatest: a view that knows it says how many decimals matter. */
    this.spread = 0;
    /** @type {TileView | null} */
    this.view = null;
    this._described = 0;
    this._showDevice = showDevice;
    this._title = el("h3", { dir: "auto" });
    this._device = el("span", { class: "tile-device", dir: "auto" });
    this._age = el("span", { class: "tile-age" });
    this.body = el("div", { class: "tile-body" });
    /** @type {ReturnType<typeof alertBadge> | null} */
    this._alert = null;
    /** @type {HTMLElement | null} */
    this._data = null;
    root.append(el("header", { class: "tile-head" }, this._title, this._device, this._age), this.body);
    listenForTable(this);
    this._dress();
  }

  get shown() {
    return this.view !== null;
  }

  // --- what a type may ask

  /** The first stream's unit, or the one that was chosen. */
  get unit() {
    const [stream] = this.streams;
    return stream?.kind === "number" ? this.config.unit || stream.unit : "";
  }

  /** @returns {Threshold[]} ascending */
  get thresholds() {
    return this.config.thresholds;
  }

  /**
   * The level that holds at a value; null below the first threshold.
   * @param {unknown} value
   * @returns {Level | null}
   */
  levelOf(value) {
    if (typeof value !== "number") return null;
    return this.thresholds.filter(({ at }) => value >= at).at(-1)?.level ?? null;
  }

  /**
   * A stream's colour, for a canvas.
   * @param {number} [index] of the stream
   */
  colour(index = 0) {
    if (index === 0 && this.config.color) return colourOf(this.root, this.config.color);
    return colourOf(this.root, hueName(this._hues.of(this.streams[0]?.field ?? "") + index));
  }

  /** The thresholds with their colours, for a chart's marks. */
  marks() {
    return this.thresholds.map(({ at, level }) => ({ at, colour: colourOf(this.root, `level-${level}`) }));
  }

  /**
   * A value as people read it, with its stream's decimals.
   * @param {unknown} value
   * @param {Stream} [stream]
   */
  format(value, stream = this.streams[0]) {
    if (value === undefined) return "–";
    if (typeof value === "boolean") return sayState(value, stream);
    if (typeof value !== "number") return withEmoji(String(value));
    return formatNumber(value, decimalsFor(stream?.decimals ?? 0, this.spread));
  }

  /**
   * A stream's last value on view; of a range that is held, the value at its end.
   * @param {Stream} [stream]
   */
  last(stream = this.streams[0]) {
    return stream?.lastOnView(this.board.viewport.range) ?? null;
  }

  /**
   * The same as people read it.
   * @param {Stream} [stream]
   */
  text(stream = this.streams[0]) {
    return this.format(this.last(stream)?.value, stream);
  }

  // --- what the page does with a tile

  /**
   * Show something else, or otherwise.
   * @param {TileConfig} config
   */
  configure(config) {
    if (config === this.config) return;
    const { x, y, w, h, ...before } = this.config;
    const { x: _x, y: _y, w: _w, h: _h, ...after } = config;
    this.config = config;
    if (JSON.stringify(before) === JSON.stringify(after)) return; // it only stands elsewhere
    this.hide();
    this.body.replaceChildren();
    this._dress();
  }

  /** Ask for what the tile draws: its type's module, and the points of its streams. */
  prepare() {
    this._findStreams();
    const type = typeNow(this.config.type);
    if (type && type.history !== false) for (const stream of this.streams) this.board.history.want(stream);
    return type;
  }

  /** Bring the tile up to date; it is in view. */
  paint() {
    const type = this.prepare();
    const at = now();
    const span = this.board.viewport.span(at);
    const problem = this._problem();
    if (problem !== "") {
      this.hide();
      if (this.body.textContent !== problem) this.body.replaceChildren(el("p", { class: "tile-problem" }, problem));
    } else if (type) {
      if (!this.view) this.body.replaceChildren();
      this.view ??= type.create(this.body, this);
      this.view.paint(at, span);
      this._describe(at);
    }
    this._paintHead(at);
  }

  resized() {
    this.view?.resize();
  }

  /** Its names are drawn otherwise now. */
  renamed() {
    this.hide();
    this._dress();
  }

  /** Out of view: let go of the canvas. */
  hide() {
    this.view?.destroy();
    this.view = null;
    this.spread = 0;
    this._described = 0;
  }

  /** What the tile is called. */
  get title() {
    if (this.config.title) return withEmoji(this.config.title);
    const named = this.config.streams.map((name) => withEmoji(this.board.find(name)?.field ?? name));
    return [...new Set(named)].join(", ") || t(`tiles.${this.config.type}.name`);
  }

  /** The streams' device, where nothing else says it. */
  get device() {
    const devices = new Set(this.config.streams.map((name) => this.board.find(name)?.device ?? ""));
    return this._showDevice && !this.config.title && devices.size === 1 ? withEmoji([...devices][0]) : "";
  }

  /** What does not change by itself. */
  _dress() {
    const { config, root } = this;
    this._findStreams();
    setAttribute(root, "data-tile", config.id);
    setAttribute(root, "data-type", config.type);
    setAttribute(root, "data-stream", config.streams[0] ?? "");
    giveHue(root, config.color || hueName(this._hues.of(this.board.find(config.streams[0] ?? "")?.field ?? "")));
    this._name();
    setAttribute(this._title, "title", config.streams.join(", "));
    this._alert?.element.remove();
    const named = config.streams.filter((name) => !name.startsWith("="));
    this._alert = named.length ? alertBadge(this.board.bucket, named) : null;
    if (this._alert) this._age.before(this._alert.element);
    this._data?.remove();
    this._data = config.streams.length ? dataButton(this) : null;
    if (this._data) this._age.before(this._data);
    this._paintHead(now());
  }

  _name() {
    setText(this._title, this.title);
    setText(this._device, this.device);
  }

  /** The streams by their names: one may begin only now, or become one of another kind. */
  _findStreams() {
    const found = this.config.streams.map((name) => this.board.find(name)).filter((stream) => stream !== undefined);
    if (found.length === this.streams.length && found.every((stream, i) => stream === this.streams[i])) return;
    this.streams = found;
    this.hide();
    setAttribute(this.root, "data-kind", found[0]?.kind ?? "");
    this._name();
  }

  /** Why there is nothing to draw, in words; "" when there is. */
  _problem() {
    const { type, streams } = this.config;
    const kind = kindOf(type);
    if (!kind) return t("tiles.unknownType", { type });
    if (kind.kinds.length === 0 || (kind.alone && this.streams.length === 0)) return "";
    if (streams.length === 0) return t("tiles.noStreams");
    if (this.streams.length === 0) return t("tiles.missing", { name: streams[0] });
    const failed = this.streams.find(({ problem }) => problem !== "");
    if (failed) return t("tiles.failed", { name: failed.name, problem: failed.problem });
    const other = this.streams.find((stream) => !kind.kinds.includes(stream.kind));
    return other ? t("tiles.otherKind", { name: other.name, type: t(`tiles.${type}.name`) }) : "";
  }

  /** @param {number} at epoch seconds */
  _paintHead(at) {
    const { board, root, streams } = this;
    const { range } = board.viewport;
    const stale = board.state === "reconnecting" || board.state === "stale";
    const quiet = streams.find((stream) => isQuiet(stream, board, at));
    // Of several streams, the age of one that has gone quiet; else that of the newest value.
    const last = quiet ? this.last(quiet)
      : streams.map((stream) => this.last(stream)).reduce((a, b) => ((b?.epoch ?? 0) > (a?.epoch ?? 0) ? b : a), null);
    const empty = !last && this.config.streams.length > 0;
    setAttribute(root, "data-state", empty ? "empty" : stale ? "stale" : quiet ? "quiet" : "fresh");
    setAttribute(root, "data-rolled-up", String(Boolean(streams[0]?.layer.rollup)));
    setAttribute(root, "data-points", String(streams[0]?.layer.series.length ?? 0));
    setAttribute(root, "data-loaded", String(streams.every(({ layer }) => layer.state === "loaded")));
    setAttribute(root, "data-on", String(this.last()?.value === true));
    setAttribute(root, "data-level", this.levelOf(this.last()?.value) ?? "");
    this._alert?.paint(board.alerts);
    setText(this._age, last ? ageOf(last.epoch, range, at) : empty ? t(range ? "tiles.noValue" : "tiles.noValueYet") : "");
  }

  /** @param {number} at */
  _describe(at) {
    if (!this.view || at - this._described < DESCRIBE_S) return;
    this._described = at;
    setAttribute(this.view.labelled ?? this.root, "aria-label", this.view.describe());
  }
}

/**
 * Whether a number has not come for too long.
 * @param {Stream} stream
 * @param {Board} board
 * @param {number} at
 */
function isQuiet({ last, kind, rhythm }, board, at) {
  // States and texts are sent when they change: their silence says nothing.
  if (kind !== "number" || !last || !rhythm.interval || !board.viewport.live) return false;
  return at - last.epoch > Math.max(QUIET_INTERVALS * rhythm.interval, QUIET_MIN_S);
}

/**
 * How old a value is; while time stands still, when it was.
 * @param {number} epoch
 * @param {Span | null} range that is held
 * @param {number} at now
 */
const ageOf = (epoch, range, at) => (range ? formatTime(epoch, at - epoch) : formatAge(at - epoch));
