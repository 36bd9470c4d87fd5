/** Builds SVG elements; like dom.js, names and values from the network go in as attributes and text nodes only. */

const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS(NAMESPACE, tag));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * A picture in a coordinate system of its own, as large as there is room.
 * @param {number} width
 * @param {number} height
 * @param {...Node} children
 */
export const picture = (width, height, ...children) =>
  svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "picture", "aria-hidden": "true" }, ...children);

/**
 * An arc's path; angles in degrees, clockwise from the top.
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @param {number} from
 * @param {number} to
 */
export function arc(x, y, radius, from, to) {
  const at = (/** @type {number} */ degrees) => {
    const angle = ((degrees - 90) * Math.PI) / 180;
    return `${(x + radius * Math.cos(angle)).toFixed(2)} ${(y + radius * Math.sin(angle)).toFixed(2)}`;
  };
  return `M${at(from)}A${radius} ${radius} 0 ${to - from > 180 ? 1 : 0} 1 ${at(to)}`;
}
