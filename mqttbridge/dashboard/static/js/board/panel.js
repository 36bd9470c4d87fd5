/** The panel beside the board (on phones below it), and the fields in it. */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { t } from "../i18n.js";
import { RemoveIcon } from "../views/icons.js";

/** Gets the focus when it opens; Esc closes it, see editing.js. */
export class Panel extends Component {
  componentDidMount() {
    /** @type {HTMLElement} */ (this.base).focus();
  }

  render() {
    const { title, onClose, children } = this.props;
    return html`
      <section class="panel" role="dialog" aria-label=${title} tabindex="-1">
        <header class="panel-head">
          <h2 dir="auto">${title}</h2>
          <button class="button button-icon" type="button" data-action="close" aria-label=${t("common.close")} onClick=${onClose}>
            <${RemoveIcon} /></button>
        </header>
        <div class="panel-body">${children}</div>
      </section>`;
  }
}

/** @param {{label: string, hint?: string, children?: any}} props */
export const Field = ({ label, hint, children }) => html`
  <label class="field"><span>${label}</span>${children}${hint && html`<small>${hint}</small>`}</label>`;

/** @param {any} event */
const valueOf = (event) => event.target.value;

/** @param {{label: string, value: string, hint?: string, name?: string, onChange: (value: string) => void, placeholder?: string, most?: number}} props */
export const TextField = ({ label, value, hint, name, onChange, placeholder = "", most = 200 }) => html`
  <${Field} label=${label} hint=${hint}>
    <input type="text" name=${name} maxlength=${most} value=${value} placeholder=${placeholder} dir="auto"
      onInput=${(/** @type {Event} */ event) => onChange(valueOf(event))} /><//>`;

/** @param {{label: string, value: string, hint?: string, name?: string, onChange: (value: string) => void}} props */
export const LongField = ({ label, value, hint, name, onChange }) => html`
  <${Field} label=${label} hint=${hint}>
    <textarea rows="6" name=${name} maxlength="10000" dir="auto" value=${value}
      onInput=${(/** @type {Event} */ event) => onChange(valueOf(event))}></textarea><//>`;

/** @param {{label: string, value: number | null, name?: string, onChange: (value: number | null) => void, placeholder?: string}} props */
export const NumberField = ({ label, value, name, onChange, placeholder = "" }) => html`
  <${Field} label=${label}>
    <input type="number" step="any" name=${name} value=${value ?? ""} placeholder=${placeholder}
      onInput=${(/** @type {any} */ event) => event.target.validity.valid && onChange(valueOf(event) === "" ? null : event.target.valueAsNumber)} /><//>`;

/** @param {{label: string, value: string, name?: string, choices: {value: string, label: string}[], onChange: (value: string) => void}} props */
export const ChoiceField = ({ label, value, name, choices, onChange }) => html`
  <${Field} label=${label}>
    <select name=${name} value=${value} onChange=${(/** @type {Event} */ event) => onChange(valueOf(event))}>
      ${choices.map((choice) => html`<option value=${choice.value} selected=${choice.value === value}>${choice.label}</option>`)}
    </select><//>`;

/** @param {{label: string, value: boolean, name?: string, onChange: (value: boolean) => void}} props */
export const CheckField = ({ label, value, name, onChange }) => html`
  <label class="field field-check">
    <input type="checkbox" name=${name} checked=${value} onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} />
    <span>${label}</span>
  </label>`;

/** @param {{label: string, value: string, onChange: (value: string) => void}} props */
export function ColourField({ label, value, onChange }) {
  const own = value.startsWith("#");
  return html`
    <fieldset class="field">
      <legend>${label}</legend>
      <div class="swatches">
        <button type="button" class="swatch-auto" aria-pressed=${String(value === "")} onClick=${() => onChange("")}>${t("common.automatic")}</button>
        ${[0, 1, 2, 3, 4, 5].map((number) => html`
          <button type="button" class=${`swatch hue-${number}`} aria-label=${t("board.colourNumber", { number: number + 1 })}
            aria-pressed=${String(value === `hue-${number}`)} onClick=${() => onChange(`hue-${number}`)}></button>`)}
        <input type="color" aria-label=${t("board.ownColour")} title=${t("board.ownColour")} data-own=${String(own)}
          value=${own ? value : "#888888"} onInput=${(/** @type {Event} */ event) => onChange(valueOf(event))} />
      </div>
    </fieldset>`;
}
