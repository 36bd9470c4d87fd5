/** A dial: where a value stands between its least and its greatest, with its thresholds on the rim. */

/** @import { TileType } from "../types.js" */

import { setText } from "../dom.js";
import { formatNumber } from "../format.js";
import { LastValueView } from "./last-value-view.js";
import { shareOf } from "./scale.js";
import { arc, picture, svg } from "./svg.js";

/** The dial's ends, in degrees from the top. */
const [FROM, TO] = [-120, 120];

/** @param {number} share */
const angle = (share) => FROM + (TO - FROM) * share;

/** @type {TileType} */
export const gauge = {
  options: [],
  create: (parent, tile) =>
    new LastValueView(parent, tile, (root) => {
      const rim = svg("g", { class: "gauge-rim" });
      const filled = svg("path", { class: "gauge-filled" });
      const number = svg("text", { x: 60, y: 63, class: "gauge-number" });
      const unit = svg("text", { x: 60, y: 77, class: "gauge-unit" });
      const low = svg("text", { x: 19, y: 99, class: "gauge-edge" });
      const high = svg("text", { x: 101, y: 99, class: "gauge-edge" });
      root.append(picture(120, 102,
        svg("path", { class: "gauge-track", d: arc(60, 60, 46, FROM, TO) }), filled, rim, number, unit, low, high));
      return (value, scale, text) => {
        const share = value === null ? 0 : shareOf(value, scale);
        filled.setAttribute("d", share > 0.002 ? arc(60, 60, 46, FROM, angle(share)) : "");
        rim.replaceChildren(...tile.thresholds.map(({ at, level }, i) => {
          const until = tile.thresholds[i + 1]?.at ?? scale[1];
          const [from, to] = [angle(shareOf(at, scale)), angle(shareOf(until, scale))];
          return svg("path", { class: `gauge-zone level-${level}`, d: to > from ? arc(60, 60, 55, from, to) : "" });
        }));
        setText(number, text);
        number.setAttribute("data-length", text.length > 6 ? "long" : "usual");
        setText(unit, tile.unit);
        setText(low, formatNumber(scale[0]));
        setText(high, formatNumber(scale[1]));
      };
    }),
};
