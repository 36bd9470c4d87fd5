/** One bucket's page: its tiles by device, under the toolbar. */

/** @import { TileConfig, Trouble } from "../types.js" */
/** @import { Stream } from "../stream.js" */
/** @import { Group } from "../layout.js" */

import { Component, createContext, html, render, useContext } from "../../vendor/htm-preact.module.js";
import { Board } from "../board.js";
import { withEmoji } from "../emoji.js";
import { plural } from "../format.js";
import { columnsFor, groupByDevice, Hues } from "../layout.js";
import { Painter } from "../painter.js";
import { onThemeChange } from "../theme.js";
import { Tile } from "../tiles/frame.js";
import { automaticTile } from "../tiles/registry.js";
import { BridgeNotice } from "../views/bridge-notice.js";
import { focusSearch } from "../views/search.js";
import { HeldRange, listenToKeys, Toolbar } from "../views/toolbar.js";
import { Denied, Welcome } from "../views/welcome.js";
import { onZoneChange } from "../zone.js";

/** From this many tiles on, one searches rather than looks. */
const SEARCH_FROM = 13;

/** So few rows of tiles do not fill a screen: they may be taller. */
const FEW_ROWS = 2;

/** @typedef {{board: Board, painter: Painter, hues: Hues}} Page */

const PageContext = createContext(/** @type {Page} */ ({}));

/** Preact makes the element; all that is in it, and moves, is the Tile's. */
class TileView extends Component {
  shouldComponentUpdate() {
    return false;
  }

  componentDidMount() {
    const { config, page } = this.props;
    this.tile = new Tile(/** @type {HTMLElement} */ (this.base), config, page.board, page.hues);
    page.painter.add(this.tile);
  }

  componentWillUnmount() {
    this.props.page.painter.remove(this.tile);
  }

  render() {
    return html`<article class="tile"></article>`;
  }
}

/** @param {{group: Group, named: boolean}} props */
function Device({ group: { device, streams }, named }) {
  const page = useContext(PageContext);
  // Set through the DOM (an object, not a text): the content security policy forbids style attributes in HTML.
  return html`
    <section class="device" style=${{ "--tiles": streams.length }} aria-label=${withEmoji(device) || "Streams without a device"}>
      ${named && html`<h2 dir="auto">${withEmoji(device) || "\u00a0"}</h2>`}
      ${streams.map(automaticTile).map((/** @type {TileConfig} */ config) => html`<${TileView} key=${config.id} config=${config} page=${page} />`)}
    </section>`;
}

/** @param {{groups: Group[]}} props */
class Devices extends Component {
  /** @type {ResizeObserver | undefined} */
  sizes;

  componentDidMount() {
    this.sizes = new ResizeObserver(() => this.arrange());
    this.sizes.observe(/** @type {HTMLElement} */ (this.base));
  }

  componentDidUpdate() {
    this.arrange();
  }

  componentWillUnmount() {
    this.sizes?.disconnect();
  }

  arrange() {
    const board = /** @type {HTMLElement} */ (this.base);
    const sizes = this.props.groups.map((/** @type {Group} */ group) => group.streams.length);
    const columns = columnsFor(board.clientWidth, sizes);
    board.style.setProperty("--columns", String(columns));
    const tiles = sizes.reduce((/** @type {number} */ sum, /** @type {number} */ size) => sum + size, 0);
    board.classList.toggle("devices-few", columns > 1 && tiles <= FEW_ROWS * columns);
  }

  render() {
    const { groups } = this.props;
    const named = groups.some((/** @type {Group} */ { device }) => device !== "");
    return html`
      <div class="devices">
        ${groups.map((/** @type {Group} */ group) => html`<${Device} key=${group.device} group=${group} named=${named} />`)}
      </div>`;
  }
}

class BoardView extends Component {
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
      <${PageContext.Provider} value=${this.props.page}>
        <${Toolbar} board=${board} />
        <${BridgeNotice} onTrouble=${(/** @type {Trouble | null} */ trouble) => board.noteTrouble(trouble)} />
        <main class="board" data-view="board" data-loaded=${String(board.loaded)} data-stale=${String(isStale(board))}>
          ${this.renderStreams(board)}
        </main>
      <//>`;
  }

  /** @param {Board} board */
  renderStreams(board) {
    if (board.problem === "denied") return html`<${Denied} />`;
    if (!board.loaded) return null;
    if (board.streams.size === 0) return html`<${Welcome} bucket=${board.bucket} />`;
    const wanted = this.state.search.trim().toLowerCase();
    const found = [...board.streams.values()].filter(({ name }) => name.toLowerCase().includes(wanted));
    const groups = groupByDevice(found);
    const devices = groups.filter(({ device }) => device !== "").length;
    return html`
      <div class="summary">
        <p role="status">
          ${plural(found.length, "stream")}${devices > 1 && ` of ${plural(devices, "device")}`} <${HeldRange} board=${board} />
        </p>
        ${board.streams.size >= SEARCH_FROM && html`
          <input class="search" type="search" placeholder="Find a stream" aria-label="Find a stream"
            onInput=${(/** @type {any} */ event) => this.setState({ search: event.target.value })} />`}
      </div>
      ${found.length === 0 && html`<p class="nothing">No stream's name has “${this.state.search.trim()}” in it.</p>`}
      <${Devices} groups=${groups} />`;
  }
}

/** @param {Board} board */
const isStale = ({ state }) => state === "reconnecting" || state === "stale";

/**
 * @param {HTMLElement} root
 * @param {string} bucket
 */
export function showBoard(root, bucket) {
  const page = { board: new Board(bucket), painter: new Painter(), hues: new Hues() };
  page.board.subscribe(() => {
    document.title = `${isStale(page.board) ? "⚠ " : ""}${withEmoji(page.board.title)} · mqttbridge`;
  });
  onThemeChange(() => page.painter.recolour());
  onZoneChange(() => page.painter.recolour());
  listenToKeys(page.board);
  render(html`<${BoardView} page=${page} />`, root);
  page.board.start();
}
