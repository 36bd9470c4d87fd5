/** Where Preact's elements end and a tile's own begin. */

import { Component, html } from "../../vendor/htm-preact.module.js";
import { Tile } from "../tiles/frame.js";

/** Preact makes the element; all that is in it, and moves, is the Tile's. */
export class TileView extends Component {
  shouldComponentUpdate(/** @type {any} */ next) {
    this.tile?.configure(next.config);
    return false;
  }

  componentDidMount() {
    const { config, page, alone } = this.props;
    this.tile = new Tile(/** @type {HTMLElement} */ (this.base), config, page.board, page.hues, Boolean(alone));
    page.painter.add(this.tile);
  }

  componentWillUnmount() {
    this.props.page.painter.remove(this.tile);
  }

  render() {
    return html`<article class="tile"></article>`;
  }
}
