/** Whether what one sees is live, said in words: an operator must notice when it is not. */

/** @import { Board } from "../board.js" */

import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { formatTime } from "../format.js";

const WORDS = { connecting: "Connecting…", live: "Live", reconnecting: "Reconnecting…", stale: "Stale" };

/** @param {{board: Board}} props */
export function StateBadge({ board }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    // "Reconnecting" becomes "stale" by the passing of time alone.
    const timer = setInterval(() => redraw((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const { state } = board;
  const words = state === "stale" ? `Stale since ${formatTime(board.knownUntil)}` : WORDS[state];
  return html`
    <p class="badge" role="status" data-state=${state}><i class="dot" aria-hidden="true"></i>${words}</p>`;
}
