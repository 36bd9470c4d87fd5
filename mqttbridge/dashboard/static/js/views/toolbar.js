/** The head of a bucket's views: whose page it is, whether it is live, which time it shows. */

/** @import { Board } from "../board.js" */
/** @import { BucketView } from "../types.js" */

import { html, useState } from "../../vendor/htm-preact.module.js";
import { now } from "../clock.js";
import { withEmoji } from "../emoji.js";
import { formatAge, formatTime } from "../format.js";
import { ShareButton } from "../share/button.js";
import { t } from "../i18n.js";
import { currentTheme, toggleTheme } from "../theme.js";
import { panned, WINDOWS, zoomed } from "../viewport.js";
import { BackIcon, DownloadIcon, LiveIcon, MeasureIcon, MoonIcon, PauseIcon, RangeIcon, RefreshIcon, SunIcon } from "./icons.js";
import { lazy } from "./lazy.js";
import { Menu, MenuButton } from "./menu.js";
import { PLACES } from "./places.js";
import { StateBadge } from "./state-badge.js";
import { Tabs } from "./tabs.js";

const RangeDialog = lazy(() => import("../time/range-dialog.js"), "RangeDialog");
const MeasurePanel = lazy(() => import("../time/measure-panel.js"), "MeasurePanel");
const ExportDialog = lazy(() => import("../export/dialog.js"), "ExportDialog");

/** How far a key moves along time, in lengths of what is on view. */
const STEP = 0.5;

/** @type {Record<string, (board: Board) => void>} */
const KEYS = {
  p: (board) => (board.viewport.live ? board.pause() : board.jumpToLive()),
  l: (board) => board.jumpToLive(),
  r: (board) => board.refresh(),
  m: (board) => board.marks.toggle(),
  "+": (board) => board.zoom(zoomed(board.viewport.span(now()), 0.5)),
  "-": (board) => board.zoom(zoomed(board.viewport.span(now()), 2)),
  "[": (board) => board.zoom(panned(board.viewport.span(now()), -STEP)),
  "]": (board) => board.zoom(panned(board.viewport.span(now()), STEP)),
};

/**
 * Keys for those who keep the page on a wall or have no mouse; none while one types.
 * @param {Board} board
 */
export function listenToKeys(board) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const window = WINDOWS[Number(event.key) - 1];
    if (window) board.showWindow(window.id);
    else if (Object.hasOwn(KEYS, event.key)) KEYS[event.key](board);
  });
}

/** @param {EventTarget | null} target */
const isTyping = (target) =>
  target instanceof HTMLElement && (target.closest("dialog") !== null || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);

/** @param {{board: Board}} props */
function Windows({ board }) {
  const { live, window } = board.viewport;
  return html`
    <div class="segments" role="group" aria-label=${t("time.window")}>
      ${WINDOWS.map(({ id, label }, i) => html`
        <button type="button" data-window=${id} title=${t("time.key", { key: i + 1 })}
          aria-pressed=${String(window.id === id)} onClick=${() => board.showWindow(id)}>${label}</button>`)}
      ${live && !WINDOWS.includes(window) && html`
        <button type="button" data-window=${window.id} aria-pressed="true">${window.label}</button>`}
    </div>`;
}

/**
 * @param {{board: Board, view?: BucketView, title?: string, streams?: string[], children?: any}} props
 *   `streams`: those that an export means
 */
export function Toolbar({ board, view = "board", title, streams, children }) {
  const [dialog, setDialog] = useState("");
  const { live } = board.viewport;
  const close = () => setDialog("");
  return html`
    <header class="bar bar-board" data-mode=${live ? "live" : "paused"}>
      <div class="bar-title">
        <a class="button button-icon" href="/" aria-label=${t("common.allBuckets")} title=${t("common.allBuckets")}><${BackIcon} /></a>
        <h1 dir="auto">${withEmoji(title || board.title)}</h1>
        <${StateBadge} board=${board} />
      </div>
      <${Tabs} board=${board} view=${view} />
      <div class="bar-tools bar-time">
        <${Windows} board=${board} />
        <button class="button button-icon" type="button" data-action="range" aria-label=${t("time.range")} title=${t("time.range")}
          onClick=${() => setDialog("range")}><${RangeIcon} /></button>
        ${live
          ? html`<button class="button" type="button" data-action="pause" title=${t("time.key", { key: "P" })} onClick=${() => board.pause()}>
              <${PauseIcon} /><span>${t("time.pause")}</span></button>`
          : html`<button class="button button-strong" type="button" data-action="live" title=${t("time.key", { key: "L" })}
              onClick=${() => board.jumpToLive()}><${LiveIcon} /><span>${t("time.jumpToLive")}</span></button>`}
      </div>
      <div class="bar-tools bar-more">
        ${children}
        <${ShareButton} board=${board} title=${withEmoji(title || board.title)} />
        <${Menu} label=${t("common.more")}>
          ${view !== "source" && html`
            <${MenuButton} action="measure" text=${t("time.measure")} key_="M" pressed=${board.marks.measuring}
              onClick=${() => board.marks.toggle()} icon=${MeasureIcon} />`}
          <${MenuButton} action="refresh" text=${t("time.fetchAgain")} key_="R" onClick=${() => board.refresh()} icon=${RefreshIcon} />
          <${MenuButton} action="export" text=${t("time.export")} onClick=${() => setDialog("export")} icon=${DownloadIcon} />
          <hr />
          ${PLACES.map(([place, href]) => html`<a href=${href} data-place=${place}>${t(`common.places.${place}`)}</a>`)}
          <hr />
          <${MenuButton} action="theme" text=${t(currentTheme() === "dark" ? "common.lightColours" : "common.darkColours")}
            onClick=${toggleTheme} icon=${currentTheme() === "dark" ? SunIcon : MoonIcon} />
        <//>
      </div>
    </header>
    ${dialog === "range" && html`<${RangeDialog} board=${board} onClose=${close} />`}
    ${dialog === "export" && html`<${ExportDialog} board=${board} streams=${streams} onClose=${close} />`}
    ${view !== "source" && board.marks.measuring && html`<${MeasurePanel} board=${board} brief=${view === "waves"} />`}`;
}

/** @param {{board: Board}} props */
export function HeldRange({ board }) {
  const { viewport: { range }, comparison: { seconds } } = board;
  const [from, to] = range ?? [0, 0];
  const reach = now() - from;
  return html`
    ${range && html`<strong class="held" data-notice="held">${t("time.held", { from: formatTime(from, reach), to: formatTime(to, reach) })}</strong>`}
    ${seconds > 0 && html` <span class="source" data-notice="compared">${t("time.compared", { age: formatAge(seconds) })}</span>`}`;
}
