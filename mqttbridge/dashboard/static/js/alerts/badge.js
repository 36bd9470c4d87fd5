/** A stream's alarm in the corner of its tile: a bell that leads to its alerts, and says so when one fires. */

/** @import { AlertStates } from "./states.js" */

import { el, setAttribute, setText } from "../dom.js";
import { BELL } from "../views/icons.js";
import { t } from "../i18n.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * Where one makes an alert on a stream, or sees those that are there.
 * @param {string} bucket
 * @param {string} stream
 */
export const alertUrl = (bucket, stream) => `/alerts?${new URLSearchParams({ bucket, stream })}`;

/**
 * @param {string} bucket
 * @param {string[]} streams the tile's
 * @returns {{element: HTMLElement, paint: (states: AlertStates) => void}} `paint` brings it up to date
 */
export function alertBadge(bucket, streams) {
  const words = el("span", { class: "tile-alert-words" });
  const element = el("a", { class: "tile-alert", href: alertUrl(bucket, streams[0]) }, bell(), words);
  const paint = (/** @type {AlertStates} */ states) => {
    const standing = states.of(streams);
    const state = standing?.state ?? "none";
    const loud = state === "firing" || state === "pending";
    setAttribute(element, "data-alert", standing?.silenced && loud ? "silenced" : state);
    setAttribute(element, "data-level", standing?.level ?? "");
    setText(words, loud ? t(`alerts.state.${state}`) : "");
    const title = standing ? `${standing.name}: ${t(`alerts.state.${state}`)}` : t("alerts.onThisStream");
    setAttribute(element, "title", title);
    setAttribute(element, "aria-label", `${title} (${streams.join(", ")})`);
  };
  return { element, paint };
}

function bell() {
  const picture = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({
    class: "icon", viewBox: "0 0 16 16", width: "14", height: "14", "aria-hidden": "true", fill: "none",
    stroke: "currentColor", "stroke-width": "1.6", "stroke-linejoin": "round", "stroke-linecap": "round",
  })) picture.setAttribute(name, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", BELL);
  picture.append(path);
  return picture;
}
