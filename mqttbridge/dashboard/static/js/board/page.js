/** One bucket's page: its tiles by device, under the toolbar. */

/** @import { TileConfig, Trouble } from "../types.js" */
/** @import { Stream } from "../stream.js" */
/** @import { Group } from "../layout.js" */

import { Component, createContext, html, render, useContext } from "../../vendor/htm-preact.module.js";
import { Board } from "../board.js";
import { onEmoji, withEmoji } from "../emoji.js";
import { columnsFor, groupByDevice, Hues } from "../layout.js";
import { t } from "../i18n.js";
import { Painter } from "../painter.js";
import { useStyles } from "../styles.js";
import { onThemeChange } from "../theme.js";
import { automaticTiles } from "../tiles/automatic.js";
import { loadType } from "../tiles/registry.js";
import { BridgeNotice } from "../views/bridge-notice.js";
import { focusSearch } from "../views/search.js";
import { Denied, Welcome } from "../views/first-visit.js";
import { HeldRange, listenToKeys, Toolbar } from "../views/toolbar.js";
import { ArrangeIcon } from "../views/icons.js";
import { pictureUrl } from "./api.js";
import { Arrangement } from "./arrangement.js";
import { isFirstTime } from "./first-time.js";
import { arrange } from "./grid.js";
import { GridView } from "./grid-view.js";
import { TileView } from "./tile-view.js";
import { onZoneChange } from "../zone.js";

/** From this many tiles on, one searches rather than looks. */
const SEARCH_FROM = 13;

/** So few rows of tiles do not fill a screen: they may be taller. */
const FEW_ROWS = 2;

/**
 * @typedef {{board: Board, arrangement: Arrangement, painter: Painter, hues: Hues, pictures: number}} Page `pictures`
 *   counts the pictures that were uploaded, so that a new one is fetched
 */

const PageContext = createContext(/** @type {Page} */ ({}));

/** @param {{group: Group, named: boolean}} props */
function Device({ group: { device, streams }, named }) {
  const page = useContext(PageContext);
  const tiles = automaticTiles(streams);
  // Set through the DOM (an object, not a text): the content security policy forbids style attributes in HTML.
  return html`
    <section class="device" style=${{ "--tiles": tiles.length }} aria-label=${withEmoji(device) || t("board.withoutDevice")}>
      ${named && html`<h2 dir="auto">${withEmoji(device) || "\u00a0"}</h2>`}
      ${tiles.map((/** @type {TileConfig} */ config) => html`<${TileView} key=${config.id} config=${config} page=${page} />`)}
    </section>`;
}

/** @param {{groups: Group[], arrangement: Arrangement}} props */
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
    const sizes = this.props.groups.map((/** @type {Group} */ group) => automaticTiles(group.streams).length);
    const columns = columnsFor(board.clientWidth, sizes);
    board.style.setProperty("--columns", String(columns));
    this.props.arrangement.noteColumns(columns);
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
    this.state = {
      search: "", Editing: /** @type {any} */ (null),
      /** @type {any} undefined while it is on its way: what comes later would move the tiles under a hand */
      Hints: isFirstTime() ? undefined : null,
    };
  }

  componentDidMount() {
    this.props.page.board.subscribe(() => this.forceUpdate());
    this.props.page.arrangement.subscribe(() => this.forceUpdate());
    focusSearch();
    const tell = (/** @type {any} */ Hints) => this.setState({ Hints });
    if (this.state.Hints === undefined) import("./hints.js").then(({ Hints }) => tell(Hints), () => tell(null));
  }

  /** What only those need who arrange is loaded when they do. */
  async arrange() {
    const [{ Editing }] = await Promise.all([import("./editing.js"), useStyles("editing")]);
    this.props.page.arrangement.kept.arranging = true;
    this.setState({ Editing, search: "" });
  }

  done() {
    this.props.page.arrangement.kept.arranging = false;
    this.setState({ Editing: null });
  }

  render() {
    const { board, arrangement } = this.props.page;
    const arrangeable = board.loaded && board.streams.size > 0 && arrangement.kept.editable && !this.state.Editing;
    return html`
      <${PageContext.Provider} value=${this.props.page}>
        <${Picture} page=${this.props.page} />
        <${Toolbar} board=${board} title=${arrangement.document?.title}>
          ${arrangeable && html`
            <button class="button button-worded" type="button" data-action="arrange" aria-label=${t("board.arrange")} title=${t("board.arrange")}
              onClick=${() => this.arrange()}><${ArrangeIcon} /><span>${t("board.arranging")}</span></button>`}
        <//>
        <${BridgeNotice} onTrouble=${(/** @type {Trouble | null} */ trouble) => board.noteTrouble(trouble)} />
        <main class="board" data-view="board" data-loaded=${String(board.loaded)} data-stale=${String(isStale(board))}>
          ${this.renderStreams(board)}
        </main>
      <//>`;
  }

  /** @param {Board} board */
  renderStreams(board) {
    if (board.problem === "denied") return html`<${Denied} />`;
    const { page } = this.props;
    const { arrangement } = page;
    const { kept } = arrangement;
    const { Editing, Hints } = this.state;
    if (!board.loaded || !kept.loaded || Hints === undefined) return null;
    if (board.streams.size === 0) return html`<${Welcome} bucket=${board.bucket} />`;
    if (Editing) return html`<${Editing} page=${page} onDone=${() => this.done()} />`;
    const wanted = this.state.search.trim().toLowerCase();
    const found = [...board.streams.values()].filter(({ name }) => name.toLowerCase().includes(wanted));
    const groups = groupByDevice(found);
    const devices = groups.filter(({ device }) => device !== "").length;
    return html`
      <div class="summary">
        <p role="status">
          ${devices > 1 ? t("board.ofDevices", { count: devices, streams: t("common.streams", { count: found.length }) }) : t("common.streams", { count: found.length })} <${HeldRange} board=${board} />
          ${kept.source === "config" && html`<span class="source" data-notice="config">${t("board.configured")}</span>`}
          ${kept.changedElsewhere && html`<span class="source" data-notice="arranged">${t("board.changedElsewhere")}</span>`}
          ${kept.problem && html`<strong class="held" role="alert">${t(kept.problem)}</strong>`}
        </p>
        ${board.streams.size >= SEARCH_FROM && html`
          <input class="search" type="search" placeholder=${t("waves.find")} aria-label=${t("waves.find")}
            onInput=${(/** @type {any} */ event) => this.setState({ search: event.target.value })} />`}
      </div>
      ${Hints && html`<${Hints} editable=${kept.editable} onClose=${() => this.setState({ Hints: null })} />`}
      ${found.length === 0 && html`<p class="nothing">${t("board.noneFound", { text: this.state.search.trim() })}</p>`}
      ${arrangement.document
        ? html`<${GridView} page=${page} tiles=${wanted ? arrange(arrangement.tiles().filter(isNamed(wanted))) : arrangement.tiles()} />`
        : html`<${Devices} groups=${groups} arrangement=${arrangement} />`}`;
  }
}

/** @param {{page: Page}} props */
function Picture({ page: { board, arrangement, pictures } }) {
  const { image, dim } = arrangement.document?.background ?? { image: "", dim: 1 };
  if (!image) return null;
  const address = image === "upload" ? `${pictureUrl(board.bucket)}?n=${pictures}` : image;
  return html`<img class="board-picture" src=${address} alt="" referrerpolicy="no-referrer" style=${{ opacity: 1 - dim }} />`;
}

/** @param {string} wanted */
const isNamed = (wanted) => (/** @type {TileConfig} */ { title, streams }) => [title, ...streams].join("\n").toLowerCase().includes(wanted);

/** @param {Board} board */
const isStale = ({ state }) => state === "reconnecting" || state === "stale";

/**
 * @param {HTMLElement} root
 * @param {string} bucket
 */
export function showBoard(root, bucket) {
  const board = new Board(bucket);
  const page = { board, arrangement: new Arrangement(board), painter: new Painter(), hues: new Hues(), pictures: 0 };
  board.onHistory = () => page.painter.refresh();
  board.paintAll = () => page.painter.paintAll();
  board.onArranged = (version) => page.arrangement.kept.hear(version);
  page.board.subscribe(() => {
    document.title = `${isStale(page.board) ? "⚠ " : ""}${withEmoji(page.arrangement.document?.title || page.board.title)} · mqttbridge`;
  });
  onThemeChange(() => page.painter.recolour());
  onEmoji(() => {
    page.painter.rename();
    page.board.noteNames();
  });
  onZoneChange(() => page.painter.recolour());
  listenToKeys(page.board);
  loadType("line"); // most tiles are of it, and it is here already
  render(html`<${BoardView} page=${page} />`, root);
  page.board.start();
  page.arrangement.kept.load();
}
