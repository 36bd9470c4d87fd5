/** A thermometer. With a second stream, the set point, there is a mark where the value ought to be. */

/** @import { TileType } from "../types.js" */

import { setText } from "../dom.js";
import { formatTick } from "../format.js";
import { LastValueView } from "./last-value-view.js";
import { shareOf } from "./scale.js";
import { picture, svg } from "./svg.js";

const [TOP, FOOT] = [10, 92];
const STEPS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000];
const MOST_LABELS = 6;

/** @type {TileType} */
export const thermostat = {
  options: [],
  create: (parent, tile) =>
    new LastValueView(parent, tile, (root) => {
      const column = svg("rect", { class: "gauge-filled-area", x: 27, width: 6 });
      const ticks = svg("g", { class: "gauge-edge" });
      const wanted = svg("path", { class: "gauge-wanted" });
      const number = svg("text", { x: 64, y: 56, class: "gauge-number gauge-number-start" });
      const unit = svg("text", { x: 64, y: 71, class: "gauge-unit gauge-number-start" });
      root.append(picture(140, 118,
        svg("rect", { class: "gauge-track-area", x: 23, y: 4, width: 14, height: 96, rx: 7 }),
        svg("circle", { class: "gauge-track-area", cx: 30, cy: 102, r: 13 }),
        svg("circle", { class: "gauge-filled-area", cx: 30, cy: 102, r: 9 }),
        column, ticks, wanted, number, unit));
      return (value, scale, text) => {
        const y = (/** @type {number} */ at) => FOOT - (FOOT - TOP) * shareOf(at, scale);
        const top = value === null ? FOOT : y(value);
        column.setAttribute("y", String(top));
        column.setAttribute("height", String(100 - top));
        const step = STEPS.find((one) => (scale[1] - scale[0]) / one <= MOST_LABELS) ?? scale[1] - scale[0];
        const labels = [];
        for (let at = Math.ceil(scale[0] / step) * step; at <= scale[1]; at += step) {
          labels.push(svg("path", { d: `M39 ${y(at)}h4` }), svg("text", { x: 46, y: y(at) + 2.5 }, formatTick(at, step)));
        }
        ticks.replaceChildren(...labels);
        const target = tile.streams[1] && tile.last(tile.streams[1])?.value;
        wanted.setAttribute("d", typeof target === "number" ? `M22 ${y(target)}l-7 -4.5v9z` : "");
        setText(number, text);
        setText(unit, tile.unit + (typeof target === "number" ? ` → ${tile.text(tile.streams[1])}` : ""));
      };
    }),
};
