/** A small line without axes, drawn as SVG: what changed, at a glance. Gaps are left open. */

import { html } from "../../vendor/htm-preact.module.js";

const WIDTH = 100;
const HEIGHT = 28;

/**
 * Path data of points in a box; a lone point becomes a dot.
 * @param {number[]} xs
 * @param {number[]} ys
 * @param {[from: number, to: number]} span of the xs
 * @param {{steps?: boolean, fromZero?: boolean, gap?: number}} [how] steps: a state holds until the next;
 *   gap: a silence of more than this, in the unit of the xs, is left open
 */
export function sparkPath(xs, ys, [from, to], { steps = false, fromZero = false, gap = Infinity } = {}) {
  const least = fromZero ? 0 : Math.min(...ys);
  const spread = Math.max(...ys) - least;
  const x = (/** @type {number} */ at) => (Math.max(0, Math.min(1, (at - from) / (to - from || 1))) * WIDTH).toFixed(1);
  const y = (/** @type {number} */ value) =>
    (HEIGHT - 2 - (spread > 0 ? (value - least) / spread : fromZero ? 0 : 0.5) * (HEIGHT - 4)).toFixed(1);
  const path = [];
  let before = -Infinity;
  for (let i = 0; i < xs.length; i++) {
    if (xs[i] - before > gap && !steps) path.push(`M${x(xs[i])} ${y(ys[i])}h0.01`);
    else if (i === 0) path.push(`M${x(xs[i])} ${y(ys[i])}h0.01`);
    else path.push(steps ? `H${x(xs[i])}V${y(ys[i])}` : `L${x(xs[i])} ${y(ys[i])}`);
    before = xs[i];
  }
  if (steps && xs.length) path.push(`H${WIDTH}`);
  return path.join("");
}

/** @param {{path: string, label: string}} props */
export const Spark = ({ path, label }) => html`
  <svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label=${label}>
    <path d=${path} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round"
      vector-effect="non-scaling-stroke" /></svg>`;
