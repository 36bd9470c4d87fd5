/**
 * A picture of the board as one sees it now, drawn here in the browser: boxes, texts, charts and drawings of the page
 * onto one canvas. What cannot be drawn so, such as an image of another site, is left out.
 */

import { currentLocale } from "../i18n.js";

const MAX_SCALE = 2;
const CAPTION_PX = 46;
const EDGE_PX = 18;

/** What a drawing needs written into it, since it is drawn apart from the page's style sheets. */
const DRAWN = [
  "color", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap",
  "stroke-linejoin", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "display", "visibility",
];

/**
 * Draws the board and hands the picture to the browser as a download.
 * @param {string} title
 */
export async function savePicture(title) {
  const canvas = await pictureOf(title);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${title.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80) || "board"}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * @param {string} title
 * @returns {Promise<HTMLCanvasElement>}
 */
export async function pictureOf(title) {
  const board = /** @type {HTMLElement} */ (document.querySelector("main"));
  const box = board.getBoundingClientRect();
  const bar = document.querySelector("header.bar")?.getBoundingClientRect();
  const top = Math.max(box.top, bar ? bar.bottom : 0);
  const bottom = Math.min(box.bottom, innerHeight);
  const width = document.documentElement.clientWidth;
  const height = Math.max(1, Math.round(bottom - top));
  const scale = Math.min(devicePixelRatio || 1, MAX_SCALE);

  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round((height + CAPTION_PX) * scale);
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  brush.scale(scale, scale);
  const page = getComputedStyle(document.body);
  brush.fillStyle = page.backgroundColor;
  brush.fillRect(0, 0, width, height + CAPTION_PX);
  drawCaption(brush, title, width, page);

  brush.beginPath();
  brush.rect(0, CAPTION_PX, width, height);
  brush.clip();
  brush.translate(0, CAPTION_PX - top);
  await drawElement(brush, board, { top, bottom });
  return canvas;
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {string} title
 * @param {number} width
 * @param {CSSStyleDeclaration} page
 */
function drawCaption(brush, title, width, page) {
  const when = new Intl.DateTimeFormat(currentLocale(), { dateStyle: "medium", timeStyle: "medium" }).format(new Date());
  brush.fillStyle = page.color;
  brush.textBaseline = "middle";
  brush.font = `12px ${page.fontFamily}`;
  const room = width - 2 * EDGE_PX - brush.measureText(when).width - EDGE_PX;
  brush.globalAlpha = 0.7;
  brush.textAlign = "right";
  brush.fillText(when, width - EDGE_PX, CAPTION_PX / 2);
  brush.globalAlpha = 1;
  brush.textAlign = "left";
  brush.font = `650 18px ${page.fontFamily}`;
  brush.fillText(title, EDGE_PX, CAPTION_PX / 2, Math.max(40, room));
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {Element} element
 * @param {{top: number, bottom: number}} seen
 */
async function drawElement(brush, element, seen) {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return;
  if (box.bottom < seen.top || box.top > seen.bottom) return;
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
    if (isOurs(element)) brush.drawImage(element, box.left, box.top, box.width, box.height);
  } else if (element instanceof SVGSVGElement) {
    await drawDrawing(brush, element, box);
  } else {
    for (const child of element.childNodes) {
      if (child instanceof Text) drawText(brush, child, style);
      else if (child instanceof Element) await drawElement(brush, child, seen);
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
