/**
 * Emoji by their names: `:house:` in a name or text is drawn as the house. The data itself stays as it is.
 *
 * The table of names is fetched when the first name is met, since most pages have none. Until it is here the name
 * stands; then whoever asked to be told draws again.
 */

/** Between letters or digits colons are something else, such as a MAC address or a time. */
const TOKEN = /(?<![\p{L}\p{N}]):([a-z0-9_+-]+):(?![\p{L}\p{N}])/gu;

/** @type {Map<string, string> | null} */
let table = null;
let asked = false;

/** @type {Set<() => void>} */
const waiting = new Set();

/**
 * The text as it is drawn; a name that no emoji has stays as it is.
 * @param {string} text
 */
export function withEmoji(text) {
  if (!text.includes(":")) return text;
  return text.replace(TOKEN, (token, name) => {
    if (!table) fetchTable();
    return table?.get(name) ?? token;
  });
}

/**
 * Call back once names can be drawn, if they cannot yet.
 * @param {() => void} callback
 */
export function onEmoji(callback) {
  if (!table) waiting.add(callback);
}

/** The table, for those who have the time to wait for it. */
export async function fetchTable() {
  if (asked) return;
  asked = true;
  try {
    table = (await import("../vendor/gemoji.js")).emojiByName;
  } catch {
    asked = false;
    return;
  }
  for (const callback of waiting) callback();
  waiting.clear();
}
