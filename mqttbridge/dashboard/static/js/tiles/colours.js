/** A tile's colours as canvases take them: worked out by the browser, so that light and dark have one source. */

/** How many hues the style sheet has. */
export const HUES = 6;

const HEX = /^#[0-9a-f]{6}$/i;

/**
 * @param {number} number counted round
 * @returns {string} the name that a document has
 */
export const hueName = (number) => `hue-${number % HUES}`;

/**
 * The colour itself, such as `rgb(11, 108, 184)`.
 * @param {HTMLElement} within whose theme holds
 * @param {string} name `hue-0` to `hue-5`, `level-warning` and the like, or `#rrggbb`
 */
export function colourOf(within, name) {
  const probe = document.createElement("i");
  giveHue(probe, name);
  if (name.startsWith("level-")) probe.classList.add(name);
  probe.style.color = "var(--hue)";
  within.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/**
 * A custom property that is a colour, for a canvas: as it stands, it may say one for light and one for dark.
 * @param {HTMLElement} within
 * @param {string} property such as `--land`
 */
export function colourIn(within, property) {
  const probe = document.createElement("i");
  probe.style.color = `var(${property})`;
  within.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/**
 * Make `--hue` of an element what the name says.
 * @param {HTMLElement} element
 * @param {string} name
 */
export function giveHue(element, name) {
  const own = HEX.test(name);
  for (let number = 0; number < HUES; number++) element.classList.toggle(hueName(number), !own && name === hueName(number));
  if (own) element.style.setProperty("--hue", name);
  else element.style.removeProperty("--hue");
}
