/** A figure's data as the feed tells it: the whole at first, then changes. Nothing here draws. */

/**
 * @typedef {"number" | "date" | "category"} XKind
 * @typedef {{mode?: string, line?: {color?: string, width?: number, dash?: string}, marker?: {color?: string, size?: number}}} Style
 * @typedef {{title?: string, range?: [number, number] | null}} AxisLayout
 * @typedef {{title?: string, xaxis?: AxisLayout, yaxis?: AxisLayout}} Layout
 * @typedef {{replace: boolean, x: (number | string)[], y: (number | null)[], kind?: XKind, maxpoints?: number, style?: Style}} TraceFrame
 * @typedef {{traces: Record<string, TraceFrame>, layout?: Layout}} FigureFrame
 */

export class Trace {
  /** @param {string} label */
  constructor(label) {
    this.label = label;
    /** @type {(number | string)[]} */
    this.x = [];
    /** @type {(number | null)[]} */
    this.y = [];
    /** @type {XKind} */
    this.kind = "number";
    this.maxpoints = 0;
    /** @type {Style} */
    this.style = {};
  }

  /** @param {TraceFrame} frame */
  take(frame) {
    this.kind = frame.kind ?? this.kind;
    this.maxpoints = frame.maxpoints ?? this.maxpoints;
    this.style = frame.style ?? this.style;
    this.x = frame.replace ? frame.x : this.x.concat(frame.x);
    this.y = frame.replace ? frame.y : this.y.concat(frame.y);
    const tooMany = this.x.length - this.maxpoints;
    if (tooMany > 0) {
      this.x.splice(0, tooMany);
      this.y.splice(0, tooMany);
    }
  }
}

export class Figure {
  constructor() {
    /** @type {Map<string, Trace>} */
    this.traces = new Map();
    /** @type {Layout} */
    this.layout = {};
    /** Counts changes, so that the chart knows whether it must draw. */
    this.version = 0;
  }

  /**
   * The whole figure: traces that are no longer there go.
   * @param {FigureFrame} frame
   */
  replace(frame) {
    this.traces = new Map();
    this.change(frame);
  }

  /** @param {FigureFrame} frame */
  change({ traces, layout }) {
    for (const [label, change] of Object.entries(traces)) {
      const trace = this.traces.get(label) ?? new Trace(label);
      this.traces.set(label, trace);
      trace.take(change);
    }
    if (layout) this.layout = layout;
    this.version++;
  }

  /**
   * What the common x axis counts: categories if any trace has them, dates if all have.
   * @returns {XKind}
   */
  get kind() {
    const kinds = new Set([...this.traces.values()].filter(({ x }) => x.length).map(({ kind }) => kind));
    if (kinds.has("category")) return "category";
    return kinds.size === 1 && kinds.has("date") ? "date" : "number";
  }

  /**
   * Where a category stands on the axis: in the order in which they first appear.
   * @returns {string[]}
   */
  categories() {
    if (this.kind !== "category") return [];
    const names = new Set();
    for (const trace of this.traces.values()) for (const x of trace.x) names.add(String(x));
    return [...names];
  }
}
