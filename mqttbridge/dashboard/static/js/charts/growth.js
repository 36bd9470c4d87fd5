/**
 * The newest values of a line, drawn onto what stands of it.
 *
 * Until the clock has moved a chart by a pixel, only its end changes; its axes and all the corners of its line cost a
 * browser without a graphics card ten times as much.
 */

/** @import { Series } from "../series.js" */
/** @import { Stream } from "../stream.js" */

import uPlot from "../../vendor/uPlot.esm.js";
import { lowerBound } from "../series.js";

/** With more points than this at its end, the line is drawn anew, as few corners to a pixel as can be seen. */
const MOST = 60;

/** The dot on the newest value. */
const DOT_PX = 2.8;

export class Growth {
  /**
   * @param {Stream} stream a number
   * @param {{stroke: string, width: number, area: string}} look `area`: the room between the line and zero
   */
  constructor(stream, look) {
    this.stream = stream;
    this.look = look;
    /** What was drawn, without the dot. */
    this._picture = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    /** @type {{series: Series, rewrites: number, until: number} | null} of which points that is; null: not to be gone on with */
    this._drawn = null;
  }

  /**
   * All is drawn but the dot on the newest value.
   * @param {uPlot} plot
   */
  finish(plot) {
    const { series, rollup } = this.stream.layer;
    const { min = 0, max = 0 } = plot.scales.x;
    const { epochs, values } = this.stream.line;
    const until = epochs[epochs.length - 1];
    this._drawn = null;
    if (!(until >= min && until <= max)) return;
    // What was thinned since uPlot got its points is to be given to it before the picture is gone on with.
    if (!rollup && plot.data[0] === epochs) this._keep(plot.ctx.canvas, { series, rewrites: series.rewrites, until });
    this._dot(plot, until, Number(values[values.length - 1]));
  }

  /**
   * Draw what came since.
   * @param {uPlot} plot
   * @returns {boolean} false where that would not be right, and all must be drawn
   */
  draw(plot) {
    const { series, rollup } = this.stream.layer;
    const drawn = this._drawn;
    if (rollup || !drawn || series !== drawn.series || series.rewrites !== drawn.rewrites) return false;
    const { epochs, values } = series;
    const [first, last] = [lowerBound(epochs, drawn.until), epochs.length - 1];
    const { min: least = 0, max: greatest = 0 } = plot.scales.y;
    if (last - first > MOST) return false;
    if (plot.valToPos(epochs[last], "x", true) > plot.bbox.left + plot.bbox.width + uPlot.pxRatio) return false;
    for (let i = first; i <= last; i++) {
      if (values[i] < least || values[i] > greatest) return false;
      if (i > first && epochs[i] - epochs[i - 1] > this.stream.gap) return false;
    }
    plot.ctx.clearRect(0, 0, plot.width * uPlot.pxRatio, plot.height * uPlot.pxRatio);
    plot.ctx.drawImage(this._picture.canvas, 0, 0);
    this._line(plot, first, last);
    this._dot(plot, epochs[last], values[last]);
    return true;
  }

  /**
   * @param {uPlot} plot
   * @param {number} first the last point that was drawn
   * @param {number} last
   */
  _line(plot, first, last) {
    const { ctx, bbox } = plot;
    const { epochs, values } = this.stream.layer.series;
    const x = (/** @type {number} */ i) => plot.valToPos(epochs[i], "x", true);
    const ground = Math.min(Math.max(plot.valToPos(0, "y", true), bbox.top), bbox.top + bbox.height);
    const line = new Path2D();
    for (let i = first; i <= last; i++) line.lineTo(x(i), plot.valToPos(values[i], "y", true));
    const area = new Path2D(line);
    area.lineTo(x(last), ground);
    area.lineTo(x(first), ground);
    const width = this.look.width * uPlot.pxRatio;
    ctx.save();
    ctx.translate((width % 2) / 2, (width % 2) / 2); // as uPlot does
    ctx.fillStyle = this.look.area;
    ctx.fill(area);
    ctx.strokeStyle = this.look.stroke;
    ctx.lineWidth = width;
    ctx.stroke(line);
    ctx.restore();
  }

  /**
   * Where the eye looks for news.
   * @param {uPlot} plot
   * @param {number} epoch
   * @param {number} value
   */
  _dot(plot, epoch, value) {
    const { ctx } = plot;
    ctx.save();
    ctx.fillStyle = this.look.stroke;
    ctx.beginPath();
    ctx.arc(plot.valToPos(epoch, "x", true), plot.valToPos(value, "y", true), DOT_PX * uPlot.pxRatio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.restore();
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {NonNullable<Growth["_drawn"]>} drawn
   */
  _keep(canvas, drawn) {
    const picture = this._picture.canvas;
    if (picture.width !== canvas.width || picture.height !== canvas.height) {
      [picture.width, picture.height] = [canvas.width, canvas.height];
      this._picture.globalCompositeOperation = "copy";
    }
    this._picture.drawImage(canvas, 0, 0);
    this._drawn = drawn;
  }
}
