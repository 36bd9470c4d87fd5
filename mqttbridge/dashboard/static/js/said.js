/** On and off in the words that people use for what a stream is of: a door is open, not on. */

import { t } from "./i18n.js";

/** What a device says that a stream is, in Home Assistant's words, or what its name ends on; and the texts of on and off. */
const SAYINGS = /** @type {[RegExp, RegExp, string, string][]} */ ([
  [/^(door|garage_door|opening|window)$/, /(^|[^a-z])open$/i, "common.open", "common.closed"],
  [/^(motion|moving|occupancy|presence)$/, /(^|[^a-z])(motion|occupancy|presence)$/i, "common.detected", "common.clear"],
  [/^running$/, /(^|[^a-z])running$/i, "common.running", "common.stopped"],
]);

/**
 * @param {boolean} value
 * @param {{name: string, deviceClass?: string} | undefined} stream
 * @returns {string}
 */
export function sayState(value, stream) {
  const { name = "", deviceClass = "" } = stream ?? {};
  const [, , on, off] = SAYINGS.find(([ofClass, ofName]) => (deviceClass ? ofClass.test(deviceClass) : ofName.test(name)))
    ?? [null, null, "common.on", "common.off"];
  return t(value ? on : off);
}
