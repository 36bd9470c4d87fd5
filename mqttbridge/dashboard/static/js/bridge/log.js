/** The end of the bridge's log, as it grows. For whoever may change things: others are told what it takes. */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { ApiError } from "../api.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";
import { fetchLog } from "./api.js";
import { Panel } from "./parts.js";

const POLL_MS = 2000;
const MAX_LINES = 500;

export class Log extends Component {
  constructor() {
    super();
    this.state = { lines: /** @type {any[]} */ ([]), denied: false, troubleOnly: false };
    this.last = 0;
  }

  componentDidMount() {
    this.poll();
  }

  componentWillUnmount() {
    clearTimeout(this.timer);
  }

  async poll() {
    try {
      if (!document.hidden) await this.follow();
    } catch (error) {
      const denied = error instanceof ApiError && (error.status === 401 || error.status === 403);
      this.setState({ denied });
      if (denied) return;
    }
    this.timer = setTimeout(() => this.poll(), POLL_MS);
  }

  async follow() {
    const { lines, last } = await fetchLog(this.last);
    // A bridge that started anew counts from 1 again: then what is asked for is not there.
    if (last < this.last || (lines.length === 0 && last === this.last)) return;
    this.last = last;
    this.setState({ lines: [...this.state.lines, ...lines].slice(-MAX_LINES) });
  }

  componentDidUpdate() {
    const list = this.list;
    if (list && this.atEnd !== false) list.scrollTop = list.scrollHeight;
  }

  render() {
    const { lines, denied, troubleOnly } = this.state;
    const shown = troubleOnly ? lines.filter(({ level }) => level !== "info" && level !== "debug") : lines;
    return html`
      <${Panel} id="log" title=${t("bridge.log.title")} wide=${true}>
        ${denied ? html`<p class="part-note">${t("bridge.log.denied")}</p>` : html`
          <label class="check"><input type="checkbox"
            onChange=${(/** @type {any} */ event) => this.setState({ troubleOnly: event.target.checked })} /> ${t("bridge.log.troubleOnly")}</label>
          ${shown.length === 0 && html`<p class="part-note">${t("bridge.log.none")}</p>`}
          <ol class="log-lines" tabindex="0" aria-label=${t("bridge.log.title")} ref=${(/** @type {any} */ list) => { this.list = list; }}
            onScroll=${(/** @type {any} */ { target }) => { this.atEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 30; }}>
            ${shown.map((line) => html`
              <li key=${line.id} data-level=${line.level}><time>${formatTime(line.at)}</time> <b>${line.level}</b> <i>${line.part}</i> ${line.message}</li>`)}
          </ol>`}
      <//>`;
  }
}
