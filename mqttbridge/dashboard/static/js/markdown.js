/**
 * The part of Markdown that notes are made of: headings, paragraphs, lists, quotes, code, rules, emphasis, links.
 *
 * It makes elements, never HTML, so that no text can become anything but text; and a link leads to http, https or
 * mailto alone. Libraries make HTML, and one would have to clean it.
 */

import { el } from "./dom.js";
import { withEmoji } from "./emoji.js";

const LINK_SCHEMES = new Set(["http:", "https:", "mailto:"]);

/** A note is a few lines; more than this is cut. */
const MAX_CHARS = 20_000;

/**
 * @param {string} text
 * @returns {HTMLElement[]}
 */
export function markdown(text) {
  const lines = text.slice(0, MAX_CHARS).replaceAll("\r\n", "\n").split("\n");
  const blocks = [];
  for (let at = 0; at < lines.length; ) {
    const [block, next] = blockAt(lines, at);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

/**
 * The block that begins at a line, and where the next one does.
 * @param {string[]} lines
 * @param {number} at
 * @returns {[HTMLElement | null, number]}
 */
function blockAt(lines, at) {
  const line = lines[at];
  if (!line.trim()) return [null, at + 1];
  const heading = /^(#{1,4})\s+(.*)$/.exec(line);
  // The page's own headings come before: a note's first is the fourth level.
  if (heading) return [el(`h${Math.min(heading[1].length + 3, 6)}`, {}, ...inline(heading[2])), at + 1];
  if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) return [el("hr"), at + 1];
  if (line.startsWith("```")) {
    let end = at + 1;
    while (end < lines.length && !lines[end].startsWith("```")) end++;
    return [el("pre", {}, el("code", {}, lines.slice(at + 1, end).join("\n"))), end + 1];
  }
  if (line.startsWith(">")) {
    const end = endOf(lines, at, (one) => one.startsWith(">"));
    return [el("blockquote", {}, ...inline(lines.slice(at, end).map((one) => one.replace(/^>\s?/, "")).join(" "))), end];
  }
  const item = /^\s*([-*+]|\d{1,9}[.)])\s+/;
  if (item.test(line)) {
    const end = endOf(lines, at, (one) => item.test(one));
    const list = /^\s*\d/.test(line) ? "ol" : "ul";
    return [el(list, {}, ...lines.slice(at, end).map((one) => el("li", {}, ...inline(one.replace(item, ""))))), end];
  }
  const end = endOf(lines, at, (one) => one.trim() !== "" && !/^(#{1,4}\s|>|```)/.test(one) && !item.test(one));
  return [el("p", {}, ...inline(lines.slice(at, Math.max(end, at + 1)).join("\n"))), Math.max(end, at + 1)];
}

/**
 * @param {string[]} lines
 * @param {number} at
 * @param {(line: string) => boolean} belongs
 */
function endOf(lines, at, belongs) {
  let end = at;
  while (end < lines.length && belongs(lines[end])) end++;
  return end;
}

/** What may stand in a line. None of the forms reaches across a line's end or into itself, so one pass finds them. */
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|__([^_\n]+)__|\*([^*\n]+)\*|\b_([^_\n]+)_\b|~~([^~\n]+)~~|\[([^\]\n]+)\]\(([^)\s]+)\)|( {2,}|\\)?\n/g;

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
function inline(text) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, code, strong, strong2, emphasis, emphasis2, struck, label, address, hard] = found;
    if (found.index > end) parts.push(withEmoji(text.slice(end, found.index)));
    end = found.index + whole.length;
    if (code !== undefined) parts.push(el("code", {}, code));
    else if (strong ?? strong2) parts.push(el("strong", {}, ...inline(strong ?? strong2)));
    else if (emphasis ?? emphasis2) parts.push(el("em", {}, ...inline(emphasis ?? emphasis2)));
    else if (struck) parts.push(el("s", {}, struck));
    else if (label) parts.push(link(label, address) ?? whole);
    else parts.push(hard === undefined ? " " : el("br"));
  }
  if (end < text.length) parts.push(withEmoji(text.slice(end)));
  return parts;
}

/**
 * @param {string} label
 * @param {string} address
 */
function link(label, address) {
  try {
    const url = new URL(address, location.href);
    if (!LINK_SCHEMES.has(url.protocol)) return null;
    return el("a", { href: url.href, rel: "noopener noreferrer", target: "_blank" }, withEmoji(label));
  } catch {
    return null;
  }
}
