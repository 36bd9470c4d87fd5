/** Whether what one sees is live, said in words: an operator must notice when it is not. */

/** @import { Board } from "../board.js" */

import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";

/** @param {{board: Board}} props */
export function StateBadge({ board }) {
  const [, redraw] = useState(0);
  useEffect(() => {
    // "Reconnecting" becomes "stale" by the passing of time alone.
    const timer = setInterval(() => redraw((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const { state } = board;
  const shown = state !== "live" ? state : !board.viewport.live ? "paused" : board.trouble ? "trouble" : "live";
  const words = shown === "stale" ? t("common.state.stale", { time: formatTime(board.knownUntil) })
    : shown === "trouble" ? board.trouble?.badge : t(`common.state.${shown}`);
  return html`
    <p class="badge" role="status" data-state=${shown}><i class="dot" aria-hidden="true"></i><span class="badge-words">${words}</span></p>`;
}
