/** Emoji by their names: `:house:` in a name or text is drawn as the house. The data itself stays as it is. */

import { emojiByName } from "../vendor/gemoji.js";

/** Between letters or digits colons are something else, such as a MAC address or a time. */
const TOKEN = /(?<![\p{L}\p{N}]):([a-z0-9_+-]+):(?![\p{L}\p{N}])/gu;

/**
 * The text as it is drawn; a name that no emoji has stays as it is.
 * @param {string} text
 */
export function withEmoji(text) {
  return text.includes(":") ? text.replace(TOKEN, (token, name) => emojiByName.get(name) ?? token) : text;
}
