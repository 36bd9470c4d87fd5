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

    line: { name: "Line", about: "Numbers over time" },
    state: { name: "State", about: "On and off over time" },
    log: { name: "Log", about: "The last value and the few before it" },
    number: {
      name: "Number",
      about: "The last value, large, and how it changed",
      change: "{change} in {time}",
      minutes: { one: "{count} minute", other: "{count} minutes" },
      hours: { one: "{count} hour", other: "{count} hours" },
      days: { one: "{count} day", other: "{count} days" },
    },
    gauge: { name: "Gauge", about: "A dial from the least to the greatest" },
    thermostat: { name: "Thermometer", about: "A temperature, and beside it the wanted one" },
    liquid: { name: "Level", about: "How full something is" },
    bar: {
      name: "Bars",
      about: "Streams beside each other, or one stream by hours or days",
      of: "A bar in time is",
      mean: "the mean",
      greatest: "the greatest",
      least: "the least",
      change: "the change (of a counter)",
      count: "the number of values",
    },
    histogram: {
      name: "Histogram",
      about: "How long which values held",
      bin: "{from} to {to}: {percent} % of the time",
    },
    timeline: { name: "Timeline", about: "What state several things were in", period: "{value}, {since} to {until}" },
    table: {
      name: "Table",
      about: "Last values in rows",
      stream: "Stream",
      value: "Value",
      age: "Age",
      inWords: { one: "{count} stream's last value", other: "{count} streams' last values" },
    },
    map: {
      name: "Map",
      about: "Where something is, and its way",
      in: "Closer",
      out: "Farther",
      fit: "Back to the track",
      at: "{place} at\u00a0{time}",
      nowhere: "no position yet",
      noBase: "The map could not be fetched.",
    },
    image: {
      name: "Image",
      about: "A picture from a stream's address",
      url: "Address, where there is no stream",
      every: "Fetch again after (seconds)",
      inWords: "{title}, a picture",
      nothing: "No picture yet.",
      noAddress: "This is no picture's address: {value}",
      failed: "The picture cannot be shown: {url}. Pictures of other hosts must be allowed in the configuration.",
    },
    note: { name: "Note", about: "Words of your own", text: "Text, in Markdown", empty: "An empty note." },
    button: { name: "Button", about: "Says one value" },
    switch: { name: "Switch", about: "Says on and off" },
    slider: { name: "Slider", about: "Says a number" },
    field: { name: "Text field", about: "Says what you type" },
    control: {
      label: "Words on it",
      value: "What it says",
      on: "What it says for on",
      off: "What it says for off",
      step: "Step",
      placeholder: "Words in the empty field",
      topic: "Publish to this MQTT topic, too",
      retain: "The broker keeps it",
      send: "Send",
      failed: "Not sent: {why}",
    },
  },

  time: {},

  waves: {},

  source: {},

  alerts: {},

  settings: {},

  bridge: {},
};
