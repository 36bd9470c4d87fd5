/** Which time to look at: lengths up to now, or from one time to another; with what to compare it; by which clock. */

/** @import { Board } from "../board.js" */
/** @import { ZoneChoice } from "../zone.js" */

import { html, useEffect, useState } from "../../vendor/htm-preact.module.js";
import { fetchStatus } from "../api.js";
import { now } from "../clock.js";
import { t } from "../i18n.js";
import { parseMoment, writeMoment } from "../moment.js";
import { COMPARISONS, panned, zoomed } from "../viewport.js";
import { Dialog } from "../views/dialog.js";
import { browserZone, chooseZone, zoneChoice } from "../zone.js";

const LENGTHS = ["5m", "15m", "1h", "3h", "6h", "12h", "24h", "2d", "7d", "30d", "90d", "1y"];

/** @type {ZoneChoice[]} */
const ZONES = ["browser", "utc", "server", "other"];

/** @param {{board: Board, onClose: () => void}} props */
export function RangeDialog({ board, onClose }) {
  const { viewport } = board;
  const span = viewport.span(now());
  return html`
    <${Dialog} title=${t("time.range")} name="range" onClose=${onClose}>
      <section>
        <h3>${t("time.lastOf")}</h3>
        <div class="choices">
          ${LENGTHS.map((id) => html`
            <button type="button" data-length=${id} aria-pressed=${String(viewport.live && viewport.window.id === id)}
              onClick=${() => (board.showWindow(id), onClose())}>${t(`time.length.${id}`)}</button>`)}
        </div>
      </section>
      <${FromTo} key=${span[1] - span[0]} board=${board} onClose=${onClose} />
      <section>
        <h3>${t("time.move")}</h3>
        <div class="choices choices-4">
          <button type="button" data-move="earlier" onClick=${() => board.zoom(panned(span, -0.5))}>${t("time.earlier")}</button>
          <button type="button" data-move="later" onClick=${() => board.zoom(panned(span, 0.5))}>${t("time.later")}</button>
          <button type="button" data-move="out" onClick=${() => board.zoom(zoomed(span, 2))}>${t("time.zoomOut")}</button>
          <button type="button" data-move="back" onClick=${() => history.back()}>${t("time.back")}</button>
        </div>
      </section>
      <section>
        <h3>${t("time.compare")}</h3>
        <div class="choices choices-3">
          ${["", ...COMPARISONS].map((compare) => html`
            <button type="button" data-compare=${compare} aria-pressed=${String(viewport.compare === compare)}
              onClick=${() => board.compareWith(compare)}>${t(`time.compareWith.${compare || "nothing"}`)}</button>`)}
        </div>
      </section>
      <${Zone} />
    <//>`;
}

/** @param {{board: Board, onClose: () => void}} props */
function FromTo({ board, onClose }) {
  const { relative } = board.viewport;
  const [first, last] = board.viewport.span(now());
  const [from, setFrom] = useState(relative?.[0] ?? writeMoment(first));
  const [to, setTo] = useState(relative?.[1] ?? writeMoment(last));
  const [wrong, setWrong] = useState("");
  const show = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const [a, b] = [parseMoment(from, now()), parseMoment(to, now())];
    if (!a || !b) return setWrong(t("time.notATime", { text: a ? to : from }));
    if (!(b.at - a.at >= 1)) return setWrong(t("time.wrongOrder"));
    board.showRange(from.trim(), to.trim());
    onClose();
  };
  const field = (/** @type {string} */ name, /** @type {string} */ value, /** @type {(text: string) => void} */ set) => html`
    <label class="field"><span>${t(`time.${name}`)}</span>
      <input type="text" name=${name} value=${value} autocomplete="off" spellcheck=${false} aria-describedby="range-help"
        onInput=${(/** @type {any} */ event) => (set(event.target.value), setWrong(""))} /></label>`;
  return html`
    <form onSubmit=${show}>
      <h3>${t("time.fromTo")}</h3>
      <div class="fields">
        ${field("from", from, setFrom)} ${field("to", to, setTo)}
        <button class="button button-strong" type="submit" data-action="show">${t("time.show")}</button>
      </div>
      <p class="help" id="range-help">${t("time.help")}</p>
      <p class="wrong" role="alert">${wrong}</p>
    </form>`;
}

function Zone() {
  const [{ choice, name }, setShown] = useState(zoneChoice());
  const [server, setServer] = useState("");
  useEffect(() => {
    fetchStatus().then(({ zone }) => setServer(zone ?? ""), () => {});
  }, []);
  const choose = (/** @type {ZoneChoice} */ wanted, /** @type {string} */ wantedName = "") => {
    const done = chooseZone(wanted, wanted === "server" ? server : wantedName);
    setShown(done ? zoneChoice() : { choice: wanted, name: "" });
  };
  const names = { browser: browserZone(), utc: "", server, other: "" };
  return html`
    <section>
      <h3 id="zone-head">${t("time.zone")}</h3>
      <div class="fields">
        <select class="select" aria-labelledby="zone-head" value=${choice}
          onChange=${(/** @type {any} */ event) => choose(event.target.value)}>
          ${ZONES.filter((one) => one !== "server" || server).map((one) => html`
            <option value=${one} selected=${one === choice}>${t(`time.zones.${one}`)}${names[one] && ` (${names[one]})`}</option>`)}
        </select>
        ${choice === "other" && html`
          <input class="select" type="text" list="zones" value=${name} placeholder="Europe/Berlin" aria-label=${t("time.zoneName")}
            aria-invalid=${String(!name)} onChange=${(/** @type {any} */ event) => choose("other", event.target.value.trim())} />
          <datalist id="zones">${Intl.supportedValuesOf("timeZone").map((one) => html`<option value=${one} />`)}</datalist>`}
      </div>
    </section>`;
}
