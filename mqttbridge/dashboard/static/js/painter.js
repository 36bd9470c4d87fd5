/**
 * The page's one drawing loop: each tile in sight some ten times a second, a few of them at a time, so that
 * scrolling stays smooth beside it.
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
 * @property {() => void} [prepare] ask for what it will draw; it comes into view
 */

const TILE_MS = 100;

/** For viewers who asked for less motion: the charts move in steps. */
const CALM_TILE_MS = 1000;

/** Tiles are made ready a little before they scroll into view, and until then kept up to date now and then. */
const MARGIN = "300px 0px";
const NEAR_TILE_MS = 5000;

/** While the page is scrolled, what passes cannot be read: it waits until the page has been still for a moment. */
const PASSING_TILE_MS = 1000;
const STILL_MS = 150;

/** What painting may take of a frame: the browser needs as long again for what was painted. More where nothing moves. */
const BUDGET_MS = 6;
const STILL_BUDGET_MS = 20;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Painter {
  constructor() {
    /** @type {Map<Element, Painted>} */
    this._tiles = new Map();
    /** @type {Map<Painted, number>} those near, and when each is due, by `performance.now()`; last painted, last in line */
    this._due = new Map();
    /** @type {Set<Painted>} */
    this._inSight = new Set();
    /** @type {Set<Painted>} no longer near: they let go of their charts when others get theirs, as each is work for the browser */
    this._gone = new Set();
    this._near = new IntersectionObserver((entries) => this._onNear(entries), { rootMargin: MARGIN });
    this._sight = new IntersectionObserver((entries) => this._onSight(entries));
    this._sizes = new ResizeObserver((entries) => {
      for (const { target } of entries) this._tiles.get(target)?.resized();
    });
    this._all = false;
    this._timer = 0;
    this._frame = 0;
    /** A timer while the page is being scrolled; 0 when it is still. */
    this._scrolling = 0;
    addEventListener("scroll", () => this._onScroll(), { passive: true });
  }

  /** @param {Painted} tile */
  add(tile) {
    this._tiles.set(tile.root, tile);
    this._near.observe(tile.root);
    this._sight.observe(tile.root);
    this._sizes.observe(tile.root);
  }

  /** @param {Painted} tile */
  remove(tile) {
    this._near.unobserve(tile.root);
    this._sight.unobserve(tile.root);
    this._sizes.unobserve(tile.root);
    this._tiles.delete(tile.root);
    this._due.delete(tile);
    this._inSight.delete(tile);
    this._gone.delete(tile);
    tile.hide();
  }

  /** There is news: what is near is painted in the next frames. */
  refresh() {
    this._hurry(this._due.keys());
  }

  /** Draw everything anew, in other colours. */
  recolour() {
    for (const tile of this._tiles.values()) tile.hide();
    this.refresh();
  }

  /**
   * Paint all there is, in sight or not, until the whole is not needed any more.
   * @returns {{painted: () => boolean, release: () => void}} `painted`: whether each was painted since there was news
   */
  paintAll() {
    this._all = true;
    this._gone.clear();
    for (const tile of this._tiles.values()) tile.prepare?.();
    this._hurry(this._tiles.values());
    return {
      painted: () => [...this._tiles.values()].every((tile) => (this._due.get(tile) ?? 0) > 0),
      release: () => {
        this._all = false;
        for (const root of this._tiles.keys()) { // asked again, the observer tells which are away
          this._near.unobserve(root);
          this._near.observe(root);
        }
      },
    };
  }

  /** Say every name anew. */
  rename() {
    for (const tile of this._tiles.values()) tile.renamed?.();
    this.refresh();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  _onNear(entries) {
    const come = [];
    for (const { target, isIntersecting } of entries) {
      const tile = this._tiles.get(target);
      if (!tile) continue;
      if (isIntersecting) {
        this._gone.delete(tile);
        tile.prepare?.();
        come.push(tile);
      } else if (!this._all) {
        this._due.delete(tile);
        this._gone.add(tile);
      }
    }
    this._hurry(come);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  _onSight(entries) {
    const come = [];
    for (const { target, isIntersecting } of entries) {
      const tile = this._tiles.get(target);
      if (!tile) continue;
      if (isIntersecting) {
        this._inSight.add(tile);
        come.push(tile);
      } else {
        this._inSight.delete(tile);
      }
    }
    this._hurry(this._scrolling ? come.filter(({ shown }) => !shown) : come);
  }

  _onScroll() {
    clearTimeout(this._scrolling);
    this._scrolling = setTimeout(() => {
      this._scrolling = 0;
      this._hurry(this._inSight);
    }, STILL_MS);
  }

  /**
   * Paint these in the next frames.
   * @param {Iterable<Painted>} tiles
   */
  _hurry(tiles) {
    for (const tile of [...tiles]) this._due.set(tile, 0);
    this._schedule(performance.now());
  }

  /**
   * Wake when the next tile is due.
   * @param {number} at `performance.now()`
   */
  _schedule(at) {
    if (this._frame || !this._due.size) return;
    clearTimeout(this._timer);
    const next = Math.min(...this._due.values());
    this._timer = setTimeout(() => {
      this._frame = requestAnimationFrame(() => this._paint());
    }, Math.max(next - at, 0));
  }

  /** Those that are gone let go of their charts. */
  _release() {
    for (const tile of this._gone) tile.hide();
    this._gone.clear();
  }

  /** @param {Painted} tile */
  _pace(tile) {
    if (!this._inSight.has(tile)) return NEAR_TILE_MS;
    if (this._scrolling) return PASSING_TILE_MS;
    return calm.matches ? CALM_TILE_MS : TILE_MS;
  }

  _paint() {
    this._frame = 0;
    const began = performance.now();
    const due = [...this._due].filter(([, at]) => at <= began).map(([tile]) => tile);
    const fresh = due.filter(({ shown }) => !shown);
    for (const tile of fresh) tile.prepare?.(); // all at once, so that they are fetched together
    if (fresh.length || !this._scrolling) this._release();
    try {
      for (const tile of due) {
        if (!this._due.has(tile)) continue;
        // To the end of the line: a tile that found no time in this frame comes first in the next one.
        this._due.delete(tile);
        this._due.set(tile, nextBeat(began, this._pace(tile)));
        tile.paint();
        if (performance.now() - began > (this._scrolling ? BUDGET_MS : STILL_BUDGET_MS)) break;
      }
    } finally {
      this._schedule(performance.now());
    }
  }
}

/**
 * Tiles are due on a common beat, so that they are painted in few frames: for each of those the browser looks at every
 * canvas, changed or not.
 * @param {number} at `performance.now()`
 * @param {number} every milliseconds
 */
const nextBeat = (at, every) => (Math.floor(at / every) + 1) * every;
