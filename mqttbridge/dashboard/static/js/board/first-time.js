/** Whether somebody sees a board for the first time with this browser. */

const KEY = "mqttbridge.hints";

/** In another site's frame, and where storage is forbidden, nobody is told anything. */
export function isFirstTime() {
  try {
    return document.documentElement.dataset.embed === undefined && localStorage.getItem(KEY) !== "seen";
  } catch {
    return false;
  }
}

/** Not again. */
export const noteSeen = () => localStorage.setItem(KEY, "seen");
