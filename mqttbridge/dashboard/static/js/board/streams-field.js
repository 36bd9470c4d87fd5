/** Which streams a tile shows: searched for by name, or worked out by an expression. */

/** @import { TileKind } from "../types.js" */
/** @import { Board } from "../board.js" */
/** @import { Stream } from "../stream.js" */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { withEmoji } from "../emoji.js";
import { t } from "../i18n.js";
import { RemoveIcon } from "../views/icons.js";

/** So many are offered at once; the others are found by typing. */
const MOST_OFFERED = 30;

/** @typedef {{board: Board, kind: TileKind, streams: string[], onChange: (streams: string[]) => void}} Props */

export class StreamsField extends Component {
  constructor() {
    super();
    this.state = { search: "", rewritten: "" };
  }

  /** @param {string} name takes the place of the expression that is written anew, or comes after the others */
  choose(name) {
    const { kind, streams, onChange } = this.props;
    const at = streams.indexOf(this.state.rewritten);
    this.setState({ search: "", rewritten: "" });
    onChange(kind.most === 1 ? [name] : at >= 0 ? streams.with(at, name) : [...streams, name].slice(-kind.most));
  }

  /** @param {string} expression to write anew */
  rewrite(expression) {
    this.setState({ search: expression, rewritten: expression });
    /** @type {HTMLElement} */ (this.base).querySelector("input")?.focus();
  }

  /** @returns {Stream[]} the best suited first */
  offered() {
    const { board, kind, streams } = this.props;
    const wanted = this.state.search.trim().toLowerCase();
    return [...board.streams.values()]
      .filter(({ name, kind: own }) => kind.kinds.includes(own) && !streams.includes(name) && name.toLowerCase().includes(wanted))
      .map((stream) => ({ stream, suits: kind.suits(stream) }))
      .sort((a, b) => b.suits - a.suits)
      .slice(0, MOST_OFFERED)
      .map(({ stream }) => stream);
  }

  render() {
    const { board, kind, streams, onChange } = this.props;
    const { search } = this.state;
    const wanted = search.trim();
    const expression = wanted.startsWith("=") ? wanted : "";
    const offered = expression ? [] : this.offered();
    const onEnter = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter") return;
      if (expression || offered.length) this.choose(expression || offered[0].name);
      event.preventDefault();
    };
    return html`
      <fieldset class="field streams-field">
        <legend>${t("board.streams")}</legend>
        <ul class="chosen">
          ${streams.map((/** @type {string} */ name) => html`
            <li>${name.startsWith("=")
              ? html`<button type="button" class="chosen-expression" dir="auto" data-rewritten=${String(name === this.state.rewritten)}
                  title=${t("board.rewrite")} onClick=${() => this.rewrite(name)}>${name}</button>`
              : html`<span dir="auto">${withEmoji(name)}</span>`}
              <button type="button" class="chosen-remove" aria-label=${t("board.withoutStream", { name })}
                onClick=${() => onChange(streams.filter((/** @type {string} */ one) => one !== name))}><${RemoveIcon} /></button></li>`)}
        </ul>
        <input type="text" name="stream" maxlength="300" autocomplete="off" spellcheck=${false} value=${search}
          aria-label=${t("board.findStream")} placeholder=${t("board.findStream")} onKeyDown=${onEnter}
          onInput=${(/** @type {any} */ event) => this.setState({ search: event.target.value })} />
        ${kind.alone && wanted && !expression && !board.streams.has(wanted) && html`
          <button class="button" type="button" data-action="new-stream" dir="auto" onClick=${() => this.choose(wanted)}>${t("board.newStream", { name: wanted })}</button>`}
        ${expression
          ? html`<button class="button" type="button" data-action="expression" onClick=${() => this.choose(expression)}>${t("board.useExpression")}</button>`
          : html`<ul class="offered">${offered.map(({ name }) => html`
              <li><button type="button" dir="auto" onClick=${() => this.choose(name)}>${withEmoji(name)}</button></li>`)}</ul>`}
        <small>${t("board.expressionHint")}</small>
      </fieldset>`;
  }
}
