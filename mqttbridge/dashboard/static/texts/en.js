/**
 * Every English text of the page, by view. A language is a file beside this one that has the same paths.
 * See js/i18n.js for what may stand in a text.
 */
export const en = {
  common: {},

  shelf: {},

  board: {},

  tiles: {
    on: "on",
    off: "off",
    shareOn: "on {percent} %",
    valueAt: "{value} at\u00a0{time}",
    spanInWords: "{since} to {until}",
    noValue: "no value",
    noValueYet: "no value yet",
    noStreams: "No stream is chosen for this tile.",
    missing: "There is no stream called “{name}” yet.",
    otherKind: "“{name}” is of a kind that this tile cannot show: {type}.",
    unknownType: "This version of the page has no tile of the type “{type}”.",

    line: { name: "Line", about: "A number over time" },
    state: { name: "State", about: "On and off over time" },
    log: { name: "Log", about: "The last value and the few before it" },
  },

  time: {},

  waves: {},

  source: {},

  alerts: {},

  settings: {},

  bridge: {},
};
