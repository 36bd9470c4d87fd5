/** The board's own settings: title, picture, streams by themselves, files and earlier versions. */

/** @import { DashboardDocument } from "../types.js" */
/** @import { Page } from "./page.js" */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { now } from "../clock.js";
import { withEmoji } from "../emoji.js";
import { formatTime } from "../format.js";
import { t } from "../i18n.js";
import { fetchBoard, fetchVersions, savePicture } from "./api.js";
import { readDocument, saveAsFile } from "./file.js";
import { CheckField, Panel, TextField } from "./panel.js";

const MAX_PICTURE = 1_000_000;

/** @typedef {{page: Page, onClose: () => void}} Props */

export class BoardPanel extends Component {
  constructor() {
    super();
    this.state = { said: "", versions: /** @type {{version: number, at: number, tiles: number}[] | null} */ (null) };
  }

  get arrangement() {
    return this.props.page.arrangement;
  }

  /** @param {Partial<DashboardDocument>} patch */
  set(patch) {
    this.arrangement.change(patch, `board ${Object.keys(patch)}`);
  }

  /**
   * What may fail, and why it did.
   * @param {() => Promise<string>} work answers what to say
   */
  async attempt(work) {
    try {
      this.setState({ said: await work() });
    } catch (error) {
      this.setState({ said: error instanceof Error && error.message ? error.message : t("common.noAnswer") });
    }
  }

  /** @param {File | undefined} file */
  importFile(file) {
    if (!file) return;
    this.attempt(async () => {
      this.arrangement.replace(await readDocument(file));
      return t("board.imported", { file: file.name });
    });
  }

  /** @param {File | undefined} file */
  upload(file) {
    if (!file) return;
    this.attempt(async () => {
      if (file.size > MAX_PICTURE) return t("board.pictureTooLarge");
      await savePicture(this.props.page.board.bucket, file);
      this.props.page.pictures += 1; // so that it is fetched anew
      this.set({ background: { image: "upload", dim: this.arrangement.document?.background?.dim ?? 0.5 } });
      return t("board.pictureKept");
    });
  }

  showVersions() {
    this.attempt(async () => {
      this.setState({ versions: (await fetchVersions(this.props.page.board.bucket)).versions });
      return "";
    });
  }

  /** @param {number} version */
  bringBack(version) {
    this.attempt(async () => {
      const { document } = await fetchBoard(this.props.page.board.bucket, version);
      if (document) this.arrangement.replace(document);
      return t("board.broughtBack", { version });
    });
  }

  exportFile() {
    const { bucket } = this.props.page.board;
    const tiles = this.arrangement.tiles();
    saveAsFile(`${bucket}.dashboard.json`, { ...(this.arrangement.document ?? { title: "", auto: true, columns: 12, background: null, hidden: [] }), tiles });
  }

  render() {
    const { onClose } = this.props;
    const { said, versions } = this.state;
    const document = this.arrangement.document;
    const background = document?.background ?? null;
    const chosenFile = (/** @type {any} */ event) => {
      const [file] = event.target.files;
      event.target.value = "";
      return file;
    };
    return html`
      <${Panel} title=${t("board.settings")} onClose=${onClose}>
        <p class="panel-said" role="status">${said}</p>
        <${TextField} label=${t("board.title")} name="board-title" value=${document?.title ?? ""} placeholder=${this.props.page.board.title}
          onChange=${(/** @type {string} */ title) => this.set({ title })} />
        <${CheckField} label=${t("board.auto")} name="auto" value=${document?.auto ?? true} onChange=${(/** @type {boolean} */ auto) => this.set({ auto })} />
        ${document && document.hidden.length > 0 && html`
          <fieldset class="field"><legend>${t("board.hidden")}</legend>
            <ul class="offered">${document.hidden.map((/** @type {string} */ name) => html`
              <li><button type="button" dir="auto" onClick=${() => this.set({ hidden: document.hidden.filter((/** @type {string} */ one) => one !== name) })}>
                ${t("board.showAgain", { name: withEmoji(name) })}</button></li>`)}</ul>
          </fieldset>`}
        <fieldset class="field"><legend>${t("board.background")}</legend>
          <input type="url" name="background" maxlength="2000" aria-label=${t("board.pictureAddress")} placeholder=${t("board.pictureAddress")}
            value=${background && background.image !== "upload" ? background.image : ""} onChange=${(/** @type {any} */ event) => {
              const image = event.target.value.trim();
              if (image === "" || /^(https?:\/)?\//.test(image)) this.set({ background: image ? { image, dim: background?.dim ?? 0.5 } : null });
            }} />
          <span class="file-buttons">
            <label class="button">${t("board.upload")}<input class="visually-hidden" type="file" name="picture" accept="image/png,image/jpeg,image/webp,image/gif"
              onChange=${(/** @type {Event} */ event) => this.upload(chosenFile(event))} /></label>
            ${background && html`<button class="button" type="button" onClick=${() => this.set({ background: null })}>${t("board.noPicture")}</button>`}
          </span>
          ${background && html`<label class="field"><span>${t("board.dim")}</span>
            <input type="range" min="0" max="1" step="0.05" value=${background.dim}
              onInput=${(/** @type {any} */ event) => this.set({ background: { ...background, dim: Number(event.target.value) } })} /></label>`}
        </fieldset>
        <fieldset class="field"><legend>${t("board.file")}</legend>
          <span class="file-buttons">
            <button class="button" type="button" data-action="save-file" onClick=${() => this.exportFile()}>${t("board.export")}</button>
            <label class="button">${t("board.import")}<input class="visually-hidden" type="file" name="import" accept=".json,application/json"
              onChange=${(/** @type {Event} */ event) => this.importFile(chosenFile(event))} /></label>
          </span>
        </fieldset>
        <fieldset class="field"><legend>${t("board.versions")}</legend>
          ${versions === null ? html`<button class="button" type="button" data-action="versions" onClick=${() => this.showVersions()}>${t("board.showVersions")}</button>`
            : html`<ul class="offered">${versions.map(({ version, at, tiles }) => html`
                <li><button type="button" data-version=${version} onClick=${() => this.bringBack(version)}>
                  ${t("board.version", { version, at: formatTime(at, now() - at), count: tiles })}</button></li>`)}</ul>`}
        </fieldset>
        ${document && html`<button class="button panel-remove" type="button" data-action="automatic"
          onClick=${() => this.arrangement.makeAutomatic()}>${t("board.backToAutomatic")}</button>`}
      <//>`;
  }
}
