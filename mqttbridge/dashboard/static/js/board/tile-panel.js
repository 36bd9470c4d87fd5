/** One tile's settings. What is changed shows on the tile at once. */

/** @import { Level, Threshold, TileConfig, TileOption, TileType } from "../types.js" */
/** @import { Page } from "./page.js" */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { kindOf, KINDS, loadType } from "../tiles/registry.js";
import { RemoveIcon } from "../views/icons.js";
import { NARROW } from "./grid-view.js";
import { CheckField, ChoiceField, ColourField, LongField, NumberField, Panel, TextField } from "./panel.js";
import { StreamsField } from "./streams-field.js";
import { nameOf, typeName } from "./tile-name.js";

/** @type {Level[]} */
const LEVELS = ["good", "warning", "critical"];

/** @typedef {{page: Page, tile: TileConfig, onClose: () => void, onRemove: () => void}} Props */

export class TilePanel extends Component {
  constructor() {
    super();
    this.state = { type: /** @type {TileType | null} */ (null), of: "" };
  }

  componentDidMount() {
    this.load();
    // On a phone the panel covers the lower half of the page.
    const cell = document.querySelector(`[data-tile="${CSS.escape(this.props.tile.id)}"]`)?.closest(".cell");
    if (NARROW.matches) cell?.scrollIntoView({ block: "start" });
  }

  componentDidUpdate() {
    this.load();
  }

  /** The type's options are in its module. */
  async load() {
    const { type } = this.props.tile;
    if (this.state.of === type) return;
    this.setState({ of: type, type: null });
    const loaded = await loadType(type);
    if (this.state.of === type) this.setState({ type: loaded });
  }

  /** @param {Partial<TileConfig>} patch */
  set(patch) {
    this.props.page.arrangement.configure(this.props.tile.id, patch);
  }

  render() {
    const { page, tile, onClose, onRemove } = this.props;
    const kind = kindOf(tile.type);
    const numbers = kind?.kinds.includes("number");
    return html`
      <${Panel} title=${nameOf(tile)} onClose=${onClose}>
        <${ChoiceField} label=${t("board.type")} name="type" value=${tile.type} onChange=${(/** @type {string} */ type) => this.set({ type })}
          choices=${[...new Set([...KINDS.map(({ type }) => type), tile.type])].map((value) => ({ value, label: typeName(value) }))} />
        ${kind && kind.kinds.length > 0 && html`
          <${StreamsField} board=${page.board} kind=${kind} streams=${tile.streams}
            onChange=${(/** @type {string[]} */ streams) => this.set({ streams })} />`}
        <${TextField} label=${t("board.title")} name="title" value=${tile.title} onChange=${(/** @type {string} */ title) => this.set({ title })}
          placeholder=${t("common.automatic")} />
        ${numbers && html`
          <${TextField} label=${t("board.unit")} name="unit" value=${tile.unit} most=${32} placeholder=${page.board.find(tile.streams[0] ?? "")?.unit ?? ""}
            onChange=${(/** @type {string} */ unit) => this.set({ unit })} />
          <div class="field-pair">
            <${NumberField} label=${t("board.min")} name="min" value=${tile.min} placeholder=${t("common.automatic")}
              onChange=${(/** @type {number | null} */ min) => this.set({ min })} />
            <${NumberField} label=${t("board.max")} name="max" value=${tile.max} placeholder=${t("common.automatic")}
              onChange=${(/** @type {number | null} */ max) => this.set({ max })} />
          </div>
          ${tile.min !== null && tile.max !== null && tile.min >= tile.max && html`<p class="field-problem" role="alert">${t("board.minBelowMax")}</p>`}
          <${Thresholds} thresholds=${tile.thresholds} onChange=${(/** @type {Threshold[]} */ thresholds) => this.set({ thresholds })} />`}
        ${kind && kind.kinds.length > 0 && html`
          <${ColourField} label=${t("board.colour")} value=${tile.color} onChange=${(/** @type {string} */ color) => this.set({ color })} />`}
        ${(this.state.type?.options ?? []).map((/** @type {TileOption} */ option) => html`
          <${OptionField} key=${`${tile.type} ${option.name}`} option=${option} value=${tile.options[option.name] ?? option.initial}
            onChange=${(/** @type {any} */ value) => this.set({ options: { ...tile.options, [option.name]: value } })} />`)}
        <button class="button panel-remove" type="button" onClick=${onRemove}>${t("board.removeShort")}</button>
      <//>`;
  }
}

/** @param {{option: TileOption, value: any, onChange: (value: any) => void}} props */
function OptionField({ option, value, onChange }) {
  const choices = (option.choices ?? []).map((choice) => ({ value: choice.value, label: t(choice.label) }));
  const given = { label: t(option.label), name: option.name, onChange };
  switch (option.kind) {
    case "number": return html`<${NumberField} ...${given} value=${value ?? null} />`;
    case "boolean": return html`<${CheckField} ...${given} value=${value === true} />`;
    case "choice": return html`<${ChoiceField} ...${given} value=${value ?? ""} choices=${choices} />`;
    case "colour": return html`<${ColourField} ...${given} value=${value ?? ""} />`;
    case "longtext": return html`<${LongField} ...${given} value=${value ?? ""} />`;
    default: return html`<${TextField} ...${given} value=${value ?? ""} most=${2000} />`;
  }
}

/** @param {{thresholds: Threshold[], onChange: (thresholds: Threshold[]) => void}} props */
function Thresholds({ thresholds, onChange }) {
  const levels = LEVELS.map((level) => ({ value: level, label: t(`board.levels.${level}`) }));
  const set = (/** @type {number} */ index, /** @type {Partial<Threshold>} */ patch) =>
    onChange(thresholds.map((one, i) => (i === index ? { ...one, ...patch } : one)));
  const next = { at: (thresholds.at(-1)?.at ?? 0) + (thresholds.length ? 10 : 0), level: LEVELS[Math.min(thresholds.length + 1, 2)] };
  return html`
    <fieldset class="field thresholds">
      <legend>${t("board.thresholds")}</legend>
      ${thresholds.map((one, i) => html`
        <div class="threshold" key=${i}>
          <${NumberField} label=${t("board.from")} name="at" value=${one.at} onChange=${(/** @type {number | null} */ at) => at !== null && set(i, { at })} />
          <${ChoiceField} label=${t("board.level")} name="level" value=${one.level} choices=${levels} onChange=${(/** @type {Level} */ level) => set(i, { level })} />
          <button type="button" class="button button-icon" aria-label=${t("board.withoutThreshold")}
            onClick=${() => onChange(thresholds.filter((_, other) => other !== i))}><${RemoveIcon} /></button>
        </div>`)}
      ${thresholds.length < 20 && html`
        <button class="button" type="button" data-action="threshold" onClick=${() => onChange([...thresholds, next])}>${t("board.addThreshold")}</button>`}
    </fieldset>`;
}
