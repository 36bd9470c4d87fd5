/** A vessel: how full it is. For batteries, tanks and everything else in per cent. */

/** @import { TileType } from "../types.js" */

import { setText } from "../dom.js";
import { LastValueView } from "./last-value-view.js";
import { shareOf } from "./scale.js";
import { picture, svg } from "./svg.js";

const [TOP, FOOT] = [8, 94];

/** @type {TileType} */
export const liquid = {
  options: [],
  create: (parent, tile) =>
    new LastValueView(parent, tile, (root) => {
      const clip = `vessel-${tile.config.id.replace(/\W/g, "-")}-${Math.random().toString(36).slice(2, 8)}`;
      const surface = svg("path", { class: "gauge-filled-area liquid-wave" });
      const number = svg("tspan", { class: "gauge-number" });
      const unit = svg("tspan", { class: "gauge-unit", dx: 3 });
      root.append(picture(120, 102,
        svg("defs", {}, svg("clipPath", { id: clip }, svg("rect", { x: 20, y: 6, width: 80, height: 90, rx: 16 }))),
        svg("rect", { class: "gauge-track-area", x: 20, y: 6, width: 80, height: 90, rx: 16 }),
        svg("g", { "clip-path": `url(#${clip})` }, surface),
        svg("rect", { class: "liquid-glass", x: 20, y: 6, width: 80, height: 90, rx: 16 }),
        svg("text", { x: 60, y: 58, class: "liquid-reading" }, number, unit)));
      return (value, scale, text) => {
        const y = FOOT - (FOOT - TOP) * (value === null ? 0 : shareOf(value, scale));
        // Twice the vessel's width, so that the wave can pass through it.
        surface.setAttribute("d", value === null ? ""
          : `M-68 ${y}q17 -4 34 0t34 0t34 0t34 0t34 0t34 0t34 0t34 0V110H-68z`);
        setText(number, text);
        setText(unit, tile.unit);
      };
    }),
};
