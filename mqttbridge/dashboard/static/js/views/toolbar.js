/** The board's head: whose page it is, whether it is live, which time it shows. */

/** @import { Board } from "../board.js" */

import { html } from "../../vendor/htm-preact.module.js";
import { now } from "../clock.js";
import { withEmoji } from "../emoji.js";
import { formatTime } from "../format.js";
import { ShareButton } from "../share/button.js";
import { WINDOWS } from "../viewport.js";
import { BackIcon, LiveIcon, PauseIcon, RefreshIcon } from "./icons.js";
import { StateBadge } from "./state-badge.js";
import { ThemeButton } from "./theme-button.js";

/**
 * Keys for those who keep the page on a wall or have no mouse; none while one types.
 * @param {Board} board
 */
export function listenToKeys(board) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const window = WINDOWS[Number(event.key) - 1];
    if (window) board.showWindow(window.id);
    else if (event.key === "p") board.viewport.live ? board.pause() : board.jumpToLive();
    else if (event.key === "l") board.jumpToLive();
    else if (event.key === "r") board.refresh();
  });
}

/** @param {EventTarget | null} target */
const isTyping = (target) => target instanceof Element && target.matches("input, textarea, select");

/** @param {{board: Board}} props */
function Windows({ board }) {
  return html`
    <div class="segments" role="group" aria-label="Time window">
      ${WINDOWS.map(({ id, label }, i) => html`
        <button type="button" data-window=${id} title=${`Key ${i + 1}`}
          aria-pressed=${String(board.viewport.window.id === id)} onClick=${() => board.showWindow(id)}>${label}</button>`)}
    </div>`;
}

/** @param {{board: Board, title?: string, children?: any}} props */
export function Toolbar({ board, title, children }) {
  const { live } = board.viewport;
  return html`
    <header class="bar bar-board" data-mode=${live ? "live" : "paused"}>
      <div class="bar-title">
        <a class="button button-icon" href="/" aria-label="All buckets" title="All buckets"><${BackIcon} /></a>
        <h1 dir="auto">${withEmoji(title || board.title)}</h1>
        <${StateBadge} board=${board} />
      </div>
      <div class="bar-tools">
        <${Windows} board=${board} />
        ${live
          ? html`<button class="button" type="button" data-action="pause" title="Key P" onClick=${() => board.pause()}>
              <${PauseIcon} /><span>Pause</span></button>`
          : html`<button class="button button-strong" type="button" data-action="live" title="Key L"
              onClick=${() => board.jumpToLive()}><${LiveIcon} /><span>Jump to live</span></button>`}
        <button class="button button-icon" type="button" data-action="refresh" aria-label="Fetch again" title="Fetch again (key R)"
          onClick=${() => board.refresh()}><${RefreshIcon} /></button>
        ${children}
        <${ShareButton} bucket=${board.bucket} title=${withEmoji(board.title)} />
        <${ThemeButton} />
      </div>
    </header>`;
}

/** @param {{board: Board}} props */
export function HeldRange({ board }) {
  const { range } = board.viewport;
  if (!range) return null;
  const [from, to] = range;
  const reach = now() - from;
  return html`<strong class="held" data-notice="held">Paused: ${formatTime(from, reach)} – ${formatTime(to, reach)}</strong>`;
}
