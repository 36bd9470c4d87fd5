/** Where something is, and the way it took. */

/** @import { Span, TileType, TileView } from "../types.js" */
/** @import { Tile } from "./frame.js" */
/** @import { Position, Track } from "./positions.js" */
/** @import { World } from "./world.js" */

import { el, setText } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";
import { colourIn, colourOf, hueName } from "./colours.js";
import { tracksOf } from "./positions.js";
import { svg } from "./svg.js";
import { latitudeAt, loadWorld, project } from "./world.js";

/** Metres of the equator, which is 1 in the map's coordinates. */
const EQUATOR = 40_075_017;

/** What fits into the tile at least and at most, in metres across: beyond, coasts are no help, and the world ends. */
const LEAST_ACROSS = 300;
const MOST_ACROSS = EQUATOR;

/** A thing that stands still is shown with so much of the world around it. */
const ACROSS_STANDING = 300_000;

/** Coasts are drawn true to some kilometres: closer than this they would lie. */
const COASTS_FROM = 3000;

const MARGIN = 0.16;
const SCALE_PX = 90;

const TOOLS = [
  { name: "in", path: "M8 3v10M3 8h10", factor: 0.5 },
  { name: "out", path: "M3 8h10", factor: 2 },
  { name: "fit", path: "M8 1.5v3M8 11.5v3M1.5 8h3M11.5 8h3M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7", factor: 0 },
];

/** @type {TileType} */
export const map = {
  options: [],
  create: (parent, tile) => new MapView(parent, tile),
};

/** @implements {TileView} */
class MapView {
  /**
   * @param {HTMLElement} parent
   * @param {Tile} tile
   */
  constructor(parent, tile) {
    this.tile = tile;
    this._canvas = /** @type {HTMLCanvasElement} */ (el("canvas", { class: "map-canvas" }));
    this._words = el("p", { class: "map-words", dir: "auto" });
    const tools = TOOLS.map(({ name, path, factor }) => {
      const label = t(`tiles.map.${name}`);
      const sign = svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, class: "icon", "aria-hidden": "true" },
        svg("path", { d: path, fill: "none", stroke: "currentColor", "stroke-width": 1.7, "stroke-linecap": "round" }));
      const tool = el("button", { type: "button", class: "map-tool", "aria-label": label, title: label }, sign);
      tool.addEventListener("click", () => (factor ? this._zoom(factor) : this._follow()));
      return tool;
    });
    this.labelled = el("div", { class: "map", role: "group", tabindex: "0" }, this._canvas, this._words, el("div", { class: "map-tools" }, ...tools));
    parent.append(this.labelled);
    this._listen();
    /** @type {World | null} */
    this._world = null;
    loadWorld().then((world) => {
      this._world = world;
      this._drawn = "";
    }, () => setText(this._words, t("tiles.map.noBase")));
    /** @type {{x: number, y: number, across: number} | null} where the viewer looks; null: at the tracks */
    this._own = null;
    this._view = { x: 0.5, y: 0.4, across: 1 };
    /** @type {Track[]} */
    this._tracks = [];
    this._drawn = "";
  }

  /**
   * @param {number} _at
   * @param {Span} span
   */
  paint(_at, [from, to]) {
    const { streams } = this.tile;
    const drawn = [...streams.map(({ version }) => version), Math.floor(from), Math.floor(to)].join();
    if (drawn === this._drawn) return;
    this._drawn = drawn;
    // The point before the window is where it was when the window began.
    this._tracks = tracksOf(streams).map(({ name, positions }) => {
      const first = positions.findIndex(({ epoch }) => epoch >= from);
      const shown = (first < 0 ? positions.slice(-1) : positions.slice(Math.max(first - 1, 0))).filter(({ epoch }) => epoch <= to);
      return { name, positions: shown };
    });
    this._draw();
    setText(this._words, this._inWords(to - from));
  }

  resize() {
    this._drawn = "";
  }

  destroy() {
    this.labelled.remove();
  }

  describe() {
    return `${this.tile.title}, ${this._words.textContent}`;
  }

  /** @param {number} span */
  _inWords(span) {
    const last = this._tracks.map(({ name, positions }) => ({ name, position: positions.at(-1) })).filter(({ position }) => position);
    if (!last.length) return t("tiles.map.nowhere");
    return last.map(({ name, position }) => {
      const { latitude, longitude, epoch } = /** @type {Position} */ (position);
      const place = `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`;
      return last.length > 1 ? `${withEmoji(name)} ${place}` : t("tiles.map.at", { place, time: formatTime(epoch, span) });
    }).join(" · ");
  }

  _draw() {
    const { _canvas: canvas } = this;
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    const ctx = canvas.getContext("2d");
    if (!ctx || !width || !height) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    this._view = this._own ?? this._fitted(width, height);
    const { x, y, across } = this._view;
    const scale = width / across;
    const at = (/** @type {[number, number]} */ [px, py]) => /** @type {[number, number]} */ ([(px - x) * scale + width / 2, (py - y) * scale + height / 2]);
    const ink = (/** @type {string} */ name) => colourIn(this.labelled, name);
    ctx.scale(ratio, ratio);
    const metres = across * EQUATOR * Math.cos((latitudeAt(y) * Math.PI) / 180);
    if (this._world && metres >= COASTS_FROM) {
      ctx.save();
      ctx.translate(width / 2, height / 2);
      ctx.scale(scale, scale);
      for (const turn of [-1, 0, 1]) {
        ctx.save();
        ctx.translate(turn - x, -y);
        ctx.fillStyle = ink("--land");
        ctx.fill(this._world.land);
        ctx.lineWidth = 0.7 / scale;
        ctx.strokeStyle = ink("--border");
        ctx.stroke(this._world.borders);
        ctx.restore();
      }
      ctx.restore();
    }
    this._drawScale(ctx, height, metres / width, ink("--ink-soft"));
    this._tracks.forEach((track, i) => this._drawTrack(ctx, track, this._colour(i), at, width));
  }

  /** @param {number} i */
  _colour(i) {
    return i === 0 ? this.tile.colour(0) : colourOf(this.tile.root, hueName(i));
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Track} track
   * @param {string} colour
   * @param {(at: [number, number]) => [number, number]} at
   * @param {number} width
   */
  _drawTrack(ctx, { name, positions }, colour, at, width) {
    const points = positions.map(({ latitude, longitude }) => at(project(latitude, longitude)));
    const last = points.at(-1);
    if (!last) return;
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = 2;
    ctx.lineJoin = ctx.lineCap = "round";
    for (let i = 1; i < points.length; i++) {
      ctx.globalAlpha = 0.25 + (0.65 * i) / points.length; // the way fades into the past
      ctx.beginPath();
      ctx.moveTo(...points[i - 1]);
      ctx.lineTo(...points[i]);
      ctx.stroke();
    }
    ctx.globalAlpha = 0.22;
    ctx.beginPath();
    ctx.arc(last[0], last[1], 11, 0, 2 * Math.PI);
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.arc(last[0], last[1], 4.5, 0, 2 * Math.PI);
    ctx.fill();
    if (this._tracks.length < 2) return;
    ctx.font = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
    const right = last[0] > width * 0.7;
    ctx.textAlign = right ? "right" : "left";
    ctx.fillText(withEmoji(name), last[0] + (right ? -12 : 12), last[1] + 4);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {number} height
   * @param {number} metresPerPixel
   * @param {string} ink
   */
  _drawScale(ctx, height, metresPerPixel, ink) {
    const most = SCALE_PX * metresPerPixel;
    const power = 10 ** Math.floor(Math.log10(most));
    const metres = [5, 2, 1].map((step) => step * power).find((one) => one <= most) ?? power;
    ctx.strokeStyle = ctx.fillStyle = ink;
    ctx.lineWidth = 1;
    const long = metres / metresPerPixel;
    ctx.beginPath();
    ctx.moveTo(8.5, height - 11.5);
    ctx.lineTo(8.5, height - 7.5);
    ctx.lineTo(8.5 + long, height - 7.5);
    ctx.lineTo(8.5 + long, height - 11.5);
    ctx.stroke();
    ctx.font = '10.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
    ctx.textAlign = "left";
    ctx.fillText(metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, 12, height - 12);
  }

  /**
   * All tracks on view, with a margin.
   * @param {number} width
   * @param {number} height
   */
  _fitted(width, height) {
    const points = this._tracks.flatMap(({ positions }) => positions.map(({ latitude, longitude }) => project(latitude, longitude)));
    if (!points.length) return { x: 0.5, y: 0.38, across: Math.max(1, (0.62 * width) / height) };
    const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
    const edges = (/** @type {number[]} */ list) => list.reduce(([a, b], one) => [Math.min(a, one), Math.max(b, one)], [Infinity, -Infinity]);
    const [[left, right], [top, foot]] = [edges(xs), edges(ys)];
    const [x, y] = [(left + right) / 2, (top + foot) / 2];
    const perMetre = 1 / (EQUATOR * Math.cos((latitudeAt(y) * Math.PI) / 180));
    const needed = Math.max(right - left, ((foot - top) * width) / height) * (1 + 2 * MARGIN);
    const least = (needed < LEAST_ACROSS * perMetre ? ACROSS_STANDING : LEAST_ACROSS) * perMetre;
    return { x, y, across: Math.min(Math.max(needed, least), 1) };
  }

  // --- looking around

  _listen() {
    const { _canvas: canvas } = this;
    /** @type {Map<number, PointerEvent>} */
    const down = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      down.set(event.pointerId, event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const other = [...down.values()].find(({ pointerId }) => pointerId !== event.pointerId);
      if (other) {
        const distance = (/** @type {PointerEvent} */ one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
        this._zoom(distance(before) / Math.max(distance(event), 1));
      } else {
        this._move(before.clientX - event.clientX, before.clientY - event.clientY);
      }
      down.set(event.pointerId, event);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => down.delete(/** @type {PointerEvent} */ (event).pointerId));
    canvas.addEventListener("dblclick", () => this._follow());
    // With the control key, as pinches on a touch pad come: without it the page scrolls.
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this._zoom(2 ** (event.deltaY / 120));
    }, { passive: false });
    this.labelled.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-40, 0], ArrowRight: [40, 0], ArrowUp: [0, -40], ArrowDown: [0, 40] }[event.key];
      if (step) this._move(step[0], step[1]);
      else if (event.key === "+" || event.key === "=") this._zoom(0.5);
      else if (event.key === "-") this._zoom(2);
      else if (event.key === "Escape") this._follow();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** @param {number} dx pixels @param {number} dy */
  _move(dx, dy) {
    const { x, y, across } = this._view;
    const each = across / (this._canvas.clientWidth || 1);
    this._look({ x: (((x + dx * each) % 1) + 1) % 1, y: Math.min(1, Math.max(0, y + dy * each)), across });
  }

  /** @param {number} factor below 1 comes nearer */
  _zoom(factor) {
    const { x, y, across } = this._view;
    this._look({ x, y, across: Math.min(Math.max(across * factor, LEAST_ACROSS / EQUATOR), MOST_ACROSS / EQUATOR) });
  }

  /** Look at the tracks again, wherever they go. */
  _follow() {
    this._own = null;
    this._drawn = "";
  }

  /** @param {{x: number, y: number, across: number}} view */
  _look(view) {
    this._own = view;
    this._view = view;
    this._drawn = "";
  }
}
