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

  settings: {
    title: "Settings",
    back: "All buckets",
    you: "You",
    signed_in_as: "Signed in with the key “{label}”.",
    you_admin: "You may do everything.",
    you_viewer: "You may look at everything.",
    you_sender: "You may send events.",
    you_nobody: "You are not signed in.",
    open_server: "This server listens on this machine alone and asks nobody for a key: whoever uses this machine may do everything.",
    sign_out: "Sign out",
    admins_only: "Keys and share links are for whoever signs in with a key that may do everything.",
    look: "Look",
    theme: "Colours",
    theme_light: "Light",
    theme_dark: "Dark",
    language: "Language",
    label: "Label",
    unnamed: "no label",
    never: "never",
    created: "made {day}",
    used: "last used: {day}",
    revoke: "Revoke",
    copy: "Copy",
    copied: "Copied",
    once: "It is shown this once: keep it now.",
    no_answer: "The server does not answer.",
    not_allowed: "Your key may not do this (any more).",
    role_viewer: "looks",
    role_sender: "sends",
    role_admin: "everything",
    role_viewer_long: "Look at everything",
    role_sender_long: "Send events, for devices",
    role_admin_long: "Do everything",

    denied: {
      title: "You are not signed in",
      text: "This dashboard asks for a key, and the one you came with does not hold here, or not any more.",
    },

    login: {
      sign_in: "Sign in",
      why: "This dashboard asks for a key: a view token, or one made for you on its settings page.",
      key: "Key",
      wrong: "This key is not known here, or not any more.",
      dead_link: "This link is over: it was revoked, or its time has passed. Ask for a new one, or sign in.",
      open: "This server asks nobody for a key.",
      go_on: "Go on",
      first: "Nobody has a key yet. Make the first one: it may do everything, and signs you in.",
      first_hint: "Nobody has a key yet. The bridge's log has an address to make the first one; it is good once, for an hour.",
      make: "Make my key",
      made: "Your key.",
    },

    keys: {
      title: "Keys",
      about: "For people, who sign in with one, and for programs, which send one along. Of each only a digest is kept.",
      about_open: "Nobody is asked for a key here as long as this server listens on this machine alone. Keys made now count once http.listen is another address.",
      configured: "in the configuration",
      key: "Key",
      role: "May",
      example: "Weather station on the roof",
      make: "Make a key",
      made: "A new key.",
      sure: "Revoke the key “{label}”? Whoever uses it is shut out at once.",
    },

    links: {
      title: "Share links",
      about: "Each shows one board to whoever has it, without a key. Make one with the share button of a board.",
      none: "There are none.",
      for_ever: "until revoked",
      until: "until {day}",
      was_until: "over since {day}",
      sure: "Revoke the link “{label}”? Whoever has it is shut out at once.",
    },

    tokens: {
      title: "Tokens for Plotly's streams",
      about: "Each lets a program written for Plotly's streaming API, at {listen}, draw one trace of one figure.",
      off: "Each lets a program written for Plotly's streaming API draw one trace of one figure. Its listener is off: set plotly.listen.",
      figure: "Figure",
      trace: "Trace",
      maxpoints: "Points on screen",
      mode: "Drawn as",
      mode_lines: "lines",
      mode_markers: "markers",
      mode_lines_markers: "lines and markers",
      draws: { one: "{mode}, {count} point", other: "{mode}, {count} points" },
      token: "Token",
      make: "Make a token",
      made: "A new token.",
      sure: "Revoke the token of {figure} / {trace}? Its stream is ended.",
    },

    share: {
      title: "Share this board",
      close: "Close",
      about: "A link shows this board and nothing else, without a key. Whoever has it looks, and changes nothing.",
      example: "For the hallway's screen",
      term: "Good for",
      for_ever: "as long as it is not revoked",
      a_day: "a day",
      a_week: "a week",
      a_month: "30 days",
      make: "Make a link",
      made: "A new link.",
      link: "Link",
      frame: "For a frame in a page of {sites}",
      no_frames: "To show it in a frame of another site, name that site in http.embed_origins.",
      here: "What you see",
      address: "This page's address, for who is signed in",
      picture: "Save as a picture (PNG)",
    },
  },

  bridge: {},
};
