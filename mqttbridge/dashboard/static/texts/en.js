/**
 * Every English text of the page, by view. A language is a file beside this one that has the same paths.
 * See js/i18n.js for what may stand in a text.
 */
export const en = {
  common: {},

  shelf: {},

  board: {},

  tiles: {},

  time: {},

  waves: {},

  source: {},

  alerts: {},

  settings: {},

  bridge: {},
};
