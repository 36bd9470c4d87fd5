/** A bucket's values as they were stored, row by row: to look through, live. */

/** @import { Trouble } from "../types.js" */
/** @import { Filter } from "./filters.js" */

import { Component, html, render } from "../../vendor/htm-preact.module.js";
import { Board } from "../board.js";
import { withEmoji } from "../emoji.js";
import { formatNumber } from "../format.js";
import { t } from "../i18n.js";
import { useStyles } from "../styles.js";
import { BridgeNotice } from "../views/bridge-notice.js";
import { Denied, Welcome } from "../views/first-visit.js";
import { HeldRange, listenToKeys, Toolbar } from "../views/toolbar.js";
import { onZoneChange } from "../zone.js";
import { filterIn, Filters, searchWith } from "./filters.js";
import { MOST_ROWS, Rows, windowStart } from "./rows.js";
import { Table } from "./table.js";

/** Who types a filter rests for so long before it is asked for. */
const REST_MS = 250;

/** So many streams fit a request's address; of more, all rows are asked for. */
const MOST_STREAMS = 300;

class SourceView extends Component {
  /** @param {{board: Board}} props */
  constructor(props) {
    super(props);
    this.state = { filter: filterIn(location.search), newAbove: 0 };
    this.rows = new Rows(props.board.bucket, () => this.onRows());
    /** @type {Table | null} */
    this.table = null;
    this._length = 0;
    this._shown = "";
    this._live = true;
    this._rest = 0;
  }

  componentDidMount() {
    const { board } = this.props;
    board.subscribe(() => this.onBoard());
    board.watch(() => board.viewport.live && this.rows.tail());
    onZoneChange(() => this.table?.changed());
    board.onRefresh = () => this.load();
  }

  /** The board changed: perhaps it shows another time. */
  onBoard() {
    const { board } = this.props;
    const { viewport } = board;
    if (board.loaded && !board.live.started) board.live.start("");
    // Of a range without a window's edge: a pause keeps the rows that are here.
    const paused = this._live && viewport.range && this._shown === viewport.window.id && Math.abs(viewport.range[1] - viewport.range[0] - viewport.window.seconds) < 1
      && Math.abs(viewport.range[1] - Date.now() / 1000) < 5;
    const resumed = !this._live && viewport.live && this._shown === viewport.window.id;
    const shown = viewport.range && !paused ? viewport.range.join(" ") : viewport.window.id;
    if (board.loaded && shown !== this._shown) {
      this._shown = shown;
      this.load();
    } else if (resumed) {
      this.rows.tail();
    }
    this._live = viewport.live;
    this.forceUpdate();
  }

  load() {
    const { board } = this.props;
    const { filter } = /** @type {{filter: Filter}} */ (this.state);
    const { range, window } = board.viewport;
    const [after, before] = range ?? [windowStart(window.seconds), undefined];
    const streams = filter.streams.length > MOST_STREAMS ? [] : filter.streams;
    this._length = 0;
    this.rows.load({ after, before, ...filter, streams });
    this.table?.toTop();
  }

  /** @param {Filter} filter */
  filter(filter) {
    this.setState({ filter });
    clearTimeout(this._rest);
    this._rest = setTimeout(() => {
      history.replaceState(null, "", `${location.pathname}${searchWith(location.search, filter)}${location.hash}`);
      this.load();
    }, REST_MS);
  }

  onRows() {
    const { rows } = this;
    const newer = rows.newCount - this._length;
    this._length = rows.newCount;
    if (newer > 0) this.table?.cameIn(newer);
    this.table?.changed();
    this.forceUpdate();
  }

  /** @param {HTMLElement | null} element */
  hold(element) {
    if (!element || this.table?.root === element) return;
    this.table?.destroy();
    this.table = new Table(element, this.rows, { onNewAbove: (newAbove) => newAbove !== this.state.newAbove && this.setState({ newAbove }) });
    this.table.changed();
  }

  render() {
    const { board } = this.props;
    return html`
      <${Toolbar} board=${board} view="source" streams=${this.state.filter.streams} />
      <${BridgeNotice} onTrouble=${(/** @type {Trouble | null} */ trouble) => board.noteTrouble(trouble)} />
      <main class="source" data-view="source" data-loaded=${String(board.loaded && !this.rows.loading)}>${this.renderRows()}</main>`;
  }

  renderRows() {
    const { board } = this.props;
    const { rows } = this;
    if (board.problem === "denied") return html`<${Denied} />`;
    if (!board.loaded) return null;
    if (board.streams.size === 0) return html`<${Welcome} bucket=${board.bucket} />`;
    const { filter, newAbove } = this.state;
    const empty = rows.length === 0 && !rows.loading && !rows.problem && !rows.stopped;
    return html`
      <${Filters} board=${board} filter=${filter} onFilter=${(/** @type {Filter} */ changed) => this.filter(changed)} />
      <div class="summary">
        <p role="status">${t(rows.more ? "source.rowsSoFar" : "source.rows", { count: rows.length, shown: formatNumber(rows.length, 0) })} <${HeldRange} board=${board} /></p>
        ${rows.length >= MOST_ROWS && html`<p class="help">${t("source.most")}</p>`}
        ${rows.problem && html`<p class="wrong" role="alert">${rows.problem}</p>`}
        ${rows.stopped && html`<p class="help">${t("source.longSearch")}</p>`}
        ${(rows.problem || rows.stopped) && html`
          <button class="button" type="button" data-action="go-on" onClick=${() => rows.goOn()}>${t("source.goOn")}</button>`}
      </div>
      <div class="source-frame">
        <div class="source-scroll" tabindex="0" role="region" aria-label=${t("source.table")} ref=${(/** @type {HTMLElement | null} */ element) => this.hold(element)}></div>
        ${empty && html`<p class="nothing">${t("source.nothing")}</p>`}
        ${newAbove > 0 && html`
          <button class="button button-strong source-new" type="button" onClick=${() => this.table?.toTop()}>${t("source.newAbove", { count: newAbove, shown: formatNumber(newAbove, 0) })}</button>`}
      </div>`;
  }
}

/**
 * @param {HTMLElement} root
 * @param {string} bucket
 */
export async function showSource(root, bucket) {
  await useStyles("source");
  const board = new Board(bucket);
  board.subscribe(() => {
    document.title = t("source.title", { bucket: withEmoji(board.title) });
  });
  listenToKeys(board);
  render(html`<${SourceView} board=${board} />`, root);
  board.start();
}
