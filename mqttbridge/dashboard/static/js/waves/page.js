/** All streams of a bucket above each other, on one axis of time and under one crosshair. */

/** @import { Trouble } from "../types.js" */
/** @import { Stream } from "../stream.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { Board } from "../board.js";
import { withEmoji } from "../emoji.js";
import { t } from "../i18n.js";
import { groupByDevice, Hues } from "../layout.js";
import { Painter } from "../painter.js";
import { useStyles } from "../styles.js";
import { onThemeChange } from "../theme.js";
import { BridgeNotice } from "../views/bridge-notice.js";
import { DownIcon, UpIcon } from "../views/icons.js";
import { focusSearch } from "../views/search.js";
import { Denied, Welcome } from "../views/first-visit.js";
import { HeldRange, listenToKeys, Toolbar } from "../views/toolbar.js";
import { onZoneChange } from "../zone.js";
import { Axis } from "./axis.js";
import { HEIGHTS, Order } from "./order.js";
import { Wave } from "./wave.js";

/** @typedef {{board: Board, painter: Painter, hues: Hues, order: Order}} Page */

/** Preact makes the element; all that is in it, and moves, is the wave's. Props: `make`, `page`, `name`. */
class Drawn extends Component {
  shouldComponentUpdate() {
    return false;
  }

  componentDidMount() {
    this.drawn = this.props.make(/** @type {HTMLElement} */ (this.base));
    this.props.page.painter.add(this.drawn);
  }

  componentWillUnmount() {
    this.props.page.painter.remove(this.drawn);
  }

  render() {
    return html`<div class=${this.props.name}></div>`;
  }
}

/** @param {{page: Page, stream: Stream, onMove: (by: -1 | 1) => void}} props */
function WaveView({ page, stream, onMove }) {
  const name = withEmoji(stream.name);
  const button = (/** @type {-1 | 1} */ by, /** @type {string} */ text, /** @type {any} */ Icon) => html`
    <button class="button button-icon" type="button" data-move=${by} aria-label=${t(text, { name })} title=${t(text, { name })}
      onClick=${() => onMove(by)}><${Icon} /></button>`;
  return html`
    <article class=${`wave-row hue-${page.hues.of(stream.field)}`}>
      <${Drawn} page=${page} name="wave" make=${(/** @type {HTMLElement} */ root) => new Wave(root, stream, page.board)} />
      <div class="wave-order">${button(-1, "waves.up", UpIcon)}${button(1, "waves.down", DownIcon)}</div>
    </article>`;
}

class WavesView extends Component {
  constructor() {
    super();
    this.state = { search: "" };
  }

  componentDidMount() {
    this.props.page.board.subscribe(() => this.forceUpdate());
    focusSearch();
  }

  render() {
    const { board } = this.props.page;
    return html`
      <${Toolbar} board=${board} view="waves" />
      <${BridgeNotice} onTrouble=${(/** @type {Trouble | null} */ trouble) => board.noteTrouble(trouble)} />
      <main class="waves" data-view="waves" data-loaded=${String(board.loaded)} data-measuring=${String(board.marks.measuring)}>
        ${this.renderStreams()}
      </main>`;
  }

  renderStreams() {
    const { board, order } = this.props.page;
    if (board.problem === "denied") return html`<${Denied} />`;
    if (!board.loaded) return null;
    if (board.streams.size === 0) return html`<${Welcome} bucket=${board.bucket} />`;
    const wanted = this.state.search.trim().toLowerCase();
    const all = order.of(groupByDevice(board.streams.values()).flatMap(({ streams }) => streams));
    const found = all.filter((/** @type {Stream} */ { name }) => name.toLowerCase().includes(wanted));
    return html`
      <div class="summary">
        <p role="status">${t("waves.streams", { count: found.length })} <${HeldRange} board=${board} /></p>
        <div class="summary-tools">
          <div class="segments" role="group" aria-label=${t("waves.height")}>
            ${HEIGHTS.map((height) => html`
              <button type="button" data-height=${height} aria-pressed=${String(order.height === height)} aria-label=${t(`waves.heights.${height}`)}
                onClick=${() => (order.choose(height), this.forceUpdate())}>${t(`waves.heightLetters.${height}`)}</button>`)}
          </div>
          <input class="search" type="search" placeholder=${t("waves.find")} aria-label=${t("waves.find")}
            onInput=${(/** @type {any} */ event) => this.setState({ search: event.target.value })} />
        </div>
      </div>
      <div class=${`waves-stack waves-${order.height}`}>
        <${Drawn} page=${this.props.page} name="waves-axis" make=${(/** @type {HTMLElement} */ root) => new Axis(root, board)} />
        ${found.map((/** @type {Stream} */ stream) => html`
          <${WaveView} key=${`${stream.kind} ${stream.name}`} page=${this.props.page} stream=${stream}
            onMove=${(/** @type {-1 | 1} */ by) => (order.move(all, stream, by), this.forceUpdate())} />`)}
      </div>
      <p class="help waves-help">${t("waves.help")}</p>`;
  }
}

/**
 * @param {HTMLElement} root
 * @param {string} bucket
 */
export async function showWaves(root, bucket) {
  await useStyles("board", "waves");
  const page = { board: new Board(bucket), painter: new Painter(), hues: new Hues(), order: new Order(bucket) };
  page.board.onHistory = () => page.painter.refresh();
  page.board.paintAll = () => page.painter.paintAll();
  page.board.subscribe(() => {
    document.title = t("waves.title", { bucket: withEmoji(page.board.title) });
  });
  onThemeChange(() => page.painter.recolour());
  onZoneChange(() => page.painter.recolour());
  listenToKeys(page.board);
  render(html`<${WavesView} page=${page} />`, root);
  page.board.start();
}
