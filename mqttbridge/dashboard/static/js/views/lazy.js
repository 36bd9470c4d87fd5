/** A part of the page that is loaded when it is shown first. */

import { Component, html } from "../../vendor/htm-preact.module.js";

/**
 * @param {() => Promise<any>} load the module
 * @param {string} name of the component in it
 */
export function lazy(load, name) {
  /** @type {any} */
  let Loaded = null;
  return class extends Component {
    componentDidMount() {
      if (Loaded) return;
      load().then((module) => {
        Loaded = module[name];
        this.forceUpdate();
      });
    }

    render() {
      return Loaded && html`<${Loaded} ...${this.props} />`;
    }
  };
}
