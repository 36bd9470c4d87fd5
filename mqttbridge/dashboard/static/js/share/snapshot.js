/**
 * A picture of the whole board as it is now, drawn here in the browser: boxes, texts, charts and drawings of the page onto
 * one canvas. What cannot be drawn so, such as an image of another site, is left out.
 */

/** @import { Board } from "../board.js" */
/** @import { Span } from "../types.js" */

import { now } from "../clock.js";
import { dateFormat } from "../zone.js";

const CAPTION_PX = 66;
const EDGE_PX = 18;

/** A long board is drawn with fewer pixels, since browsers bound a canvas. */
const MAX_SCALE = 2;
const MAX_SIDE_PX = 16_000;
const MAX_PX = 16_000_000;

/** Tiles that have no points after so long are drawn as they are. */
const PATIENCE_MS = 8000;
const ASK_MS = 50;

/** For hands and screen readers. */
const LEFT_OUT = ".edit-bar, .cell-tools, .hints, .search, .tile-data, .tile-alert[data-alert=none], .map-tools, input[type=range], .wave-order, .summary-tools, .visually-hidden";

/** What a drawing needs written into it, since it is drawn apart from the page's style sheets. */
const DRAWN = [
  "color", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap",
  "stroke-linejoin", "paint-order", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "display", "visibility",
];

/**
 * Draws the board and hands the picture to the browser as a download.
 * @param {Board} board
 * @param {string} title
 */
export async function savePicture(board, title) {
  const all = board.paintAll();
  try {
    await settled(all.painted);
    const canvas = await pictureOf(title, board.viewport.span(now()));
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${title.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80) || "board"}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } finally {
    all.release();
  }
}

/**
 * Each tile was painted, with its points where it draws them.
 * @param {() => boolean} painted
 */
async function settled(painted) {
  const until = performance.now() + PATIENCE_MS;
  const drawn = () => painted() && [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".tile, .wave"))].every((tile) =>
    tile.dataset.loaded === "true" || (tile.querySelector(".tile-body > *") && !tile.querySelector("canvas")));
  do await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  while (!drawn() && performance.now() < until);
}

/**
 * @param {string} title
 * @param {Span} span
 * @returns {Promise<HTMLCanvasElement>}
 */
async function pictureOf(title, span) {
  const board = /** @type {HTMLElement} */ (document.querySelector("main :is(.tiles, .devices, .waves-stack)") ?? document.querySelector("main"));
  const { top, height: boardHeight } = board.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const height = CAPTION_PX + Math.ceil(boardHeight) + EDGE_PX;
  const scale = Math.min(devicePixelRatio || 1, MAX_SCALE, MAX_SIDE_PX / height, Math.sqrt(MAX_PX / (width * height)));

  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  brush.scale(scale, scale);
  const page = getComputedStyle(document.body);
  brush.fillStyle = page.backgroundColor;
  brush.fillRect(0, 0, width, height);
  drawBackground(brush, width, height);
  drawCaption(brush, title, span, width, page);

  brush.translate(0, CAPTION_PX - top);
  await drawElement(brush, board);
  return canvas;
}

/**
 * The picture behind the tiles covers the whole.
 * @param {CanvasRenderingContext2D} brush
 * @param {number} width
 * @param {number} height
 */
function drawBackground(brush, width, height) {
  const picture = /** @type {HTMLImageElement | null} */ (document.querySelector(".board-picture"));
  if (!picture || !isOurs(picture)) return;
  brush.globalAlpha = Number(getComputedStyle(picture).opacity);
  drawImage(brush, picture, new DOMRect(0, 0, width, height), Math.max);
  brush.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {HTMLImageElement} image
 * @param {DOMRect} box
 * @param {(...scales: number[]) => number} fit the least scale shows all of it, the greatest covers the box
 */
function drawImage(brush, image, { left, top, width, height }, fit) {
  const scale = fit(width / image.naturalWidth, height / image.naturalHeight);
  const [wide, high] = [image.naturalWidth * scale, image.naturalHeight * scale];
  brush.drawImage(image, left + (width - wide) / 2, top + (height - high) / 2, wide, high);
}

/**
 * What is shown, and of which time.
 * @param {CanvasRenderingContext2D} brush
 * @param {string} title
 * @param {Span} span
 * @param {number} width
 * @param {CSSStyleDeclaration} page
 */
function drawCaption(brush, title, [from, to], width, page) {
  const when = dateFormat({ dateStyle: "medium", timeStyle: "medium" }).formatRange(from * 1000, to * 1000);
  brush.fillStyle = page.color;
  brush.textBaseline = "middle";
  brush.font = `650 19px ${page.fontFamily}`;
  brush.fillText(title, EDGE_PX, 24, width - 2 * EDGE_PX);
  brush.globalAlpha = 0.75;
  brush.font = `12.5px ${page.fontFamily}`;
  brush.fillText(when, EDGE_PX, 48, width - 2 * EDGE_PX);
  brush.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {Element} element
 */
async function drawElement(brush, element) {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0" || element.matches(LEFT_OUT)) return;
  brush.save();
  brush.globalAlpha *= Number(style.opacity);
  drawBox(brush, box, style);
  if (style.overflow !== "visible") {
    brush.beginPath();
    brush.roundRect(box.left, box.top, box.width, box.height, Number.parseFloat(style.borderTopLeftRadius) || 0);
    brush.clip();
  }
  if (element instanceof HTMLCanvasElement) {
    if (element.width && element.height) brush.drawImage(element, box.left, box.top, box.width, box.height);
  } else if (element instanceof HTMLImageElement) {
    if (isOurs(element)) drawImage(brush, element, box, style.objectFit === "contain" ? Math.min : Math.max);
  } else if (element instanceof SVGSVGElement) {
    await drawDrawing(brush, element, box);
  } else {
    for (const child of element.childNodes) {
      if (child instanceof Text) drawText(brush, child, style);
      else if (child instanceof Element) await drawElement(brush, child);
    }
  }
  brush.restore();
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {DOMRect} box
 * @param {CSSStyleDeclaration} style
 */
function drawBox(brush, box, style) {
  const radius = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, box.width / 2, box.height / 2);
  const line = Number.parseFloat(style.borderTopWidth) || 0;
  brush.beginPath();
  brush.roundRect(box.left + line / 2, box.top + line / 2, Math.max(0, box.width - line), Math.max(0, box.height - line), radius);
  brush.fillStyle = style.backgroundColor;
  brush.fill();
  if (line === 0 || style.borderTopStyle === "none") return;
  brush.lineWidth = line;
  brush.strokeStyle = style.borderTopColor;
  if (style.borderLeftWidth === style.borderTopWidth) {
    brush.stroke();
  } else {
    brush.beginPath();
    brush.moveTo(box.left, box.top + line / 2);
    brush.lineTo(box.right, box.top + line / 2);
    brush.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {Text} node
 * @param {CSSStyleDeclaration} style of its element
 */
function drawText(brush, node, style) {
  if (!node.data.trim()) return;
  brush.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  brush.fillStyle = style.color;
  brush.letterSpacing = style.letterSpacing === "normal" ? "0px" : style.letterSpacing;
  brush.textAlign = "left";
  brush.textBaseline = "middle";
  for (const { text, box } of linesOf(node)) {
    const shown = style.textTransform === "uppercase" ? text.toUpperCase() : text;
    brush.fillText(shown.trimEnd(), box.left, box.top + box.height / 2);
  }
}

/**
 * The lines into which the page broke a text.
 * @param {Text} node
 * @returns {{text: string, box: DOMRect}[]}
 */
function linesOf(node) {
  const range = document.createRange();
  /** @type {{text: string, box: DOMRect}[]} */
  const lines = [];
  for (const word of node.data.matchAll(/\S+\s*/g)) {
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].trimEnd().length);
    const box = range.getBoundingClientRect();
    const line = lines.at(-1);
    const text = word[0].replace(/\s+/g, " ");
    if (line && Math.abs(line.box.top - box.top) < 2) line.text += text;
    else lines.push({ text, box });
  }
  return lines;
}

/** @param {HTMLImageElement} image */
function isOurs(image) {
  const url = new URL(image.currentSrc || image.src, location.href);
  return image.complete && image.naturalWidth > 0 && (url.protocol === "data:" || url.protocol === "blob:" || url.origin === location.origin);
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {SVGSVGElement} drawing
 * @param {DOMRect} box
 */
async function drawDrawing(brush, drawing, box) {
  if (!box.width || !box.height) return;
  const copy = /** @type {SVGSVGElement} */ (drawing.cloneNode(true));
  const from = [drawing, ...drawing.querySelectorAll("*")];
  const to = [copy, ...copy.querySelectorAll("*")];
  to.forEach((element, i) => {
    const style = getComputedStyle(from[i]);
    // By the object model: the content security policy forbids style attributes that are set as texts.
    for (const name of DRAWN) /** @type {SVGElement} */ (element).style.setProperty(name, style.getPropertyValue(name));
  });
  copy.setAttribute("width", String(box.width));
  copy.setAttribute("height", String(box.height));
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  try {
    await image.decode();
    brush.drawImage(image, box.left, box.top, box.width, box.height);
  } catch {
    // A drawing that cannot be read by itself is left out.
  }
}
