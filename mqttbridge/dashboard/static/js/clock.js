/** The server's clock, as far as its messages tell: the page runs on it, whatever the viewer's own clock says. */

let offset = 0;
let synced = false;

/**
 * Learn from one answer or frame. Small differences are the network's jitter and are eased in, so that the
 * charts do not shake; large ones mean that a clock was set.
 * @param {number} serverNow epoch seconds
 */
export function syncClock(serverNow) {
  if (!Number.isFinite(serverNow)) return;
  const measured = serverNow - Date.now() / 1000;
  offset = synced && Math.abs(measured - offset) < 2 ? offset + (measured - offset) / 10 : measured;
  synced = true;
}

/**
 * A reading of the viewer's clock, in milliseconds, as epoch seconds on the server's clock.
 * @param {number} milliseconds as of `Date.now()`
 */
export const serverTime = (milliseconds) => milliseconds / 1000 + offset;

/** Epoch seconds on the server's clock. */
export const now = () => serverTime(Date.now());

/** By how many seconds the viewer's clock is ahead of the server's; 0 while the server was not heard. */
export const clockAhead = () => (synced ? -offset : 0);
