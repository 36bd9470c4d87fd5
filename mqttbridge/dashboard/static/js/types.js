/**
 * Shapes of the HTTP API, as docs/http-api.md gives them. Times are epoch seconds on the server's clock.
 *
 * @typedef {"number" | "boolean" | "text"} Kind
 * @typedef {number | boolean | string} Value
 * @typedef {{value: Value, epoch: number}} Last
 * @typedef {{made: number, stream: string, kind: Kind, unit: string, value: Value, epochs: number[], values: Value[]}} SparkLine
 * @typedef {{key: string, name: string, tags: string[], streams: number, last: number | null, rate: number, spark?: SparkLine}} BucketSummary
 * @typedef {{now: number, buckets: BucketSummary[]}} BucketsAnswer
 * @typedef {{stream: string, kind: Kind, unit: string, device_class?: string, last: Last | null, interval?: number | null}} StreamSummary
 * @typedef {{now: number, live: string, bucket: {key: string, name: string}, streams: StreamSummary[]}} StreamsAnswer
 * @typedef {{kind: Kind, unit: string, epochs: number[], values: Value[]}} Points
 * @typedef {{now: number, live: string, after: number, before: number, series: Record<string, Points>,
 *   derived?: Record<string, Points>, errors?: Record<string, string>,
 *   statistics?: Record<string, StatisticsAnswer>}} PointsAnswer `derived`: values of expressions
 * @typedef {{width: number, epochs: number[], counts: number[], minima: number[], maxima: number[], sums: number[]}} StatisticsAnswer
 *   by cells `width` seconds long, which begin at `epochs`
 * @typedef {{now: number, series: Record<string, Points>, derived?: Record<string, Points>}} LiveFrame
 * @typedef {{now: number, rows: [epoch: number, stream: string, value: Value][], units: Record<string, string>, next: string | null}} RowsAnswer
 * @typedef {{count: number, least: number | null, mean: number | null, greatest: number | null, first: Last | null, last: Last | null}} StreamStatistics
 * @typedef {"board" | "waves" | "source"} BucketView
 * @typedef {{badge: string, text: string}} Trouble of the bridge, in two words and in a sentence
 * @typedef {[from: number, to: number]} Span
 *
 * The dashboard document: what a person arranged.
 *
 * @typedef {"good" | "warning" | "critical"} Level
 * @typedef {{at: number, level: Level}} Threshold from this value on, the level holds
 * @typedef {{w: number, h: number, minW: number, minH: number}} TileSize in cells of the grid
 *
 * @typedef {object} TileConfig one tile's entry in the document
 * @property {string} id
 * @property {string} type one of tiles/registry.js; one that is not there is kept, and said
 * @property {string} title "" for one made of the streams' names
 * @property {string[]} streams names, or expressions that begin with `=`
 * @property {number | null} x cell; null: wherever there is room, at the end
 * @property {number | null} y
 * @property {number} w
 * @property {number} h
 * @property {string} unit "" for the stream's own
 * @property {string} color "" for one chosen by the stream's name, `hue-0` to `hue-5`, or `#rrggbb`
 * @property {number | null} min of the scale; null: by the values
 * @property {number | null} max
 * @property {Threshold[]} thresholds ascending
 * @property {Record<string, any>} options the type's own, by name
 *
 * @typedef {object} DashboardDocument
 * @property {string} title "" for the bucket's name
 * @property {boolean} auto whether streams that no tile shows get one by themselves, at the end
 * @property {number} columns
 * @property {{image: string, dim: number} | null} background `upload`, or an address
 * @property {string[]} hidden streams that get no tile by themselves
 * @property {TileConfig[]} tiles
 *
 * A type of tile, in two parts: what is known before it is loaded (tiles/registry.js), and what its module exports.
 *
 * @typedef {object} TileKind
 * @property {string} type its texts are `tiles.<type>.name` and `tiles.<type>.about`
 * @property {Kind[]} kinds of the streams it takes; none for a tile that needs no stream
 * @property {number} most streams: 1, or Infinity
 * @property {boolean} [alone] whether it works without its stream, too: before there is one, or with none at all
 * @property {TileSize} size a new tile's
 * @property {string} icon SVG path data in a 16 x 16 box, drawn by its stroke
 * @property {(stream: import("./stream.js").Stream) => number} suits how well it suits a stream, 0 (not at all) to 100: makes
 *   the automatic board, and orders the menu. See tiles/registry.js for what the figures mean
 * @property {() => Promise<TileType>} load
 *
 * @typedef {object} TileType
 * @property {TileOption[]} options that the editor offers
 * @property {boolean} [history] false for one that shows last values alone, and needs no points fetched
 * @property {(parent: HTMLElement, tile: import("./tiles/frame.js").Tile) => TileView} create inside the frame
 *
 * @typedef {object} TileOption
 * @property {string} name in the document's `options`
 * @property {"number" | "text" | "longtext" | "choice" | "colour" | "boolean"} kind
 * @property {string} label the path of its text
 * @property {{value: string, label: string}[]} [choices] of a choice; `label` is the path of a text
 * @property {any} [initial] the value where the document has none
 *
 * @typedef {object} TileView what a type draws. It lives while the tile is in view and its configuration stands
 * @property {(at: number, span: Span) => void} paint some ten times a second: `at` is now, `span` what is on view
 * @property {() => void} resize
 * @property {() => void} destroy lets go of everything, its elements too
 * @property {() => string} describe what it shows, in words, for those who do not see it
 * @property {HTMLElement} [labelled] the element that gets the words as its label; default: the tile
 */

export {};
