/**
 * The page's one drawing loop: some ten times a second, tiles in view only.
 */

/**
 * What the loop draws: a tile, a wave.
 * @typedef {object} Painted
 * @property {HTMLElement} root
 * @property {boolean} shown whether it has its chart
 * @property {() => void} paint bring it up to date; it is in view
 * @property {() => void} resized
 * @property {() => void} hide let go of the chart
 * @property {() => void} [renamed] its names are drawn otherwise now
 */

const FRAME_MS = 100;

/** For viewers who asked for less motion: the charts move in steps. */
const CALM_FRAME_MS = 1000;

/** Making a chart costs a millisecond or two: when one scrolls fast, they come a few a frame. */
const NEW_CHARTS_A_FRAME = 8;

/** Tiles are made ready a little before they scroll into view. */
const MARGIN = "300px 0px";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Painter {
  constructor() {
    /** @type {Map<Element, Painted>} */
    this._tiles = new Map();
    /** @type {Set<Painted>} */
    this._inView = new Set();
    this._sight = new IntersectionObserver((entries) => this._onSight(entries), { rootMargin: MARGIN });
    this._sizes = new ResizeObserver((entries) => {
      for (const { target } of entries) this._tiles.get(target)?.resized();
    });
    this._next();
  }

  /** @param {Painted} tile */
  add(tile) {
    this._tiles.set(tile.root, tile);
    this._sight.observe(tile.root);
    this._sizes.observe(tile.root);
  }

  /** @param {Painted} tile */
  remove(tile) {
    this._sight.unobserve(tile.root);
    this._sizes.unobserve(tile.root);
    this._tiles.delete(tile.root);
    this._inView.delete(tile);
    tile.hide();
  }

  /** Draw everything anew, in other colours. */
  recolour() {
    for (const tile of this._inView) tile.hide();
  }

  /** Say every name anew. */
  rename() {
    for (const tile of this._tiles.values()) tile.renamed?.();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  _onSight(entries) {
    for (const { target, isIntersecting } of entries) {
      const tile = this._tiles.get(target);
      if (!tile) continue;
      if (isIntersecting) {
        this._inView.add(tile);
      } else {
        this._inView.delete(tile);
        tile.hide();
      }
    }
  }

  _next() {
    setTimeout(() => requestAnimationFrame(() => this._paint()), calm.matches ? CALM_FRAME_MS : FRAME_MS);
  }

  _paint() {
    this._next();
    let budget = NEW_CHARTS_A_FRAME;
    for (const tile of this._inView) {
      if (!tile.shown && budget-- <= 0) continue;
      tile.paint();
    }
  }
}
