/** What is needed less often, behind one button. */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { MoreIcon } from "./icons.js";

/** Props: `label`, `children`: buttons and links. It closes when one of them is chosen, by Escape, and by a click elsewhere. */
export class Menu extends Component {
  constructor() {
    super();
    this.state = { open: false };
    this.onDown = (/** @type {Event} */ event) => this.base instanceof Element && !this.base.contains(/** @type {Node} */ (event.target)) && this.close();
    this.onKey = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && this.close(true);
  }

  componentDidUpdate() {
    const listen = this.state.open ? addEventListener : removeEventListener;
    listen("pointerdown", this.onDown);
    listen("keydown", this.onKey);
  }

  componentWillUnmount() {
    removeEventListener("pointerdown", this.onDown);
    removeEventListener("keydown", this.onKey);
  }

  /** @param {boolean} [focus] whether the button gets the focus back */
  close(focus = false) {
    this.setState({ open: false });
    if (focus) /** @type {Element} */ (this.base).querySelector("button")?.focus();
  }

  render() {
    const { label, children } = this.props;
    const { open } = this.state;
    return html`
      <div class="menu">
        <button class="button button-icon" type="button" data-action="more" aria-expanded=${String(open)} aria-label=${label} title=${label}
          onClick=${() => this.setState({ open: !open })}><${MoreIcon} /></button>
        ${open && html`<div class="menu-list" role="group" aria-label=${label} onClick=${() => this.close(true)}>${children}</div>`}
      </div>`;
  }
}

/** @param {{action: string, text: string, icon: any, key_?: string, pressed?: boolean, onClick: () => void}} props `key_` does the same */
export const MenuButton = ({ action, text, icon: Icon, key_, pressed, onClick }) => html`
  <button type="button" data-action=${action} aria-pressed=${pressed === undefined ? undefined : String(pressed)} onClick=${onClick}>
    <${Icon} /><span>${text}</span>${key_ && html`<kbd aria-hidden="true">${key_}</kbd>`}</button>`;
