/** Where things were: from texts as `52.52,13.40`, or from a latitude's stream and a longitude's beside it. */

/** @import { Stream } from "../stream.js" */

/** @typedef {{epoch: number, latitude: number, longitude: number}} Position */
/** @typedef {{name: string, positions: Position[]}} Track */

/** Latitude, longitude and perhaps an altitude. */
const PAIR = /^\s*\(?\s*(-?\d{1,3}(?:\.\d+)?)\s*[,;]\s*(-?\d{1,3}(?:\.\d+)?)\s*(?:[,;]\s*-?\d+(?:\.\d+)?\s*)?\)?\s*$/;
const LATITUDE = /(^|[^a-z])(lat|latitude)$/i;
const LONGITUDE = /(^|[^a-z])(lon|lng|long|longitude)$/i;

/** @param {string} field */
export const isLatitude = (field) => LATITUDE.test(field);

/** @param {string} field */
export const isLongitude = (field) => LONGITUDE.test(field);

/**
 * The stream that says a latitude's longitude: of the same device, and where that has several, of the same beginning.
 * @param {Stream} latitude
 * @param {Stream[]} streams
 */
export function longitudeOf(latitude, streams) {
  const beside = streams.filter(({ kind, field, device }) => kind === "number" && device === latitude.device && isLongitude(field));
  const beginning = latitude.field.replace(LATITUDE, "$1");
  return beside.find(({ field }) => field.replace(LONGITUDE, "$1") === beginning) ?? (beside.length === 1 ? beside[0] : undefined);
}

/**
 * Whether a value is a position to somebody who was not told: two whole numbers may be anything.
 * @param {unknown} value
 */
export const isPosition = (value) => typeof value === "string" && value.includes(".") && positionIn(value, 0) !== null;

/**
 * @param {string} text
 * @param {number} epoch
 * @returns {Position | null}
 */
export function positionIn(text, epoch) {
  const found = PAIR.exec(text);
  return found && checked(epoch, Number(found[1]), Number(found[2]));
}

/**
 * @param {Stream[]} streams
 * @returns {Track[]} a text's each, and one for each pair of numbers
 */
export function tracksOf(streams) {
  const tracks = streams.filter(({ kind }) => kind === "text").map((stream) => {
    const { epochs, values } = stream.layer.series;
    return { name: stream.name, positions: epochs.map((epoch, i) => positionIn(String(values[i]), epoch)).filter((one) => one !== null) };
  });
  const numbers = streams.filter(({ kind }) => kind === "number");
  for (const latitude of numbers.filter((stream) => isLatitude(stream.field))) {
    const longitude = longitudeOf(latitude, numbers);
    if (longitude) tracks.push({ name: latitude.device || latitude.name, positions: joined(latitude, longitude) });
  }
  if (!tracks.length && numbers.length === 2) tracks.push({ name: numbers[0].name, positions: joined(numbers[0], numbers[1]) });
  return tracks;
}

/**
 * Each latitude with the longitude of the same time, or the last one before.
 * @param {Stream} latitude
 * @param {Stream} longitude
 * @returns {Position[]}
 */
function joined(latitude, longitude) {
  const [a, b] = [latitude.layer.series, longitude.layer.series];
  const positions = [];
  for (let i = 0, j = -1; i < a.epochs.length; i++) {
    while (j + 1 < b.epochs.length && b.epochs[j + 1] <= a.epochs[i]) j++;
    const position = j >= 0 && checked(a.epochs[i], a.values[i], b.values[j]);
    if (position) positions.push(position);
  }
  return positions;
}

/**
 * @param {number} epoch
 * @param {number} latitude
 * @param {number} longitude
 */
const checked = (epoch, latitude, longitude) =>
  Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { epoch, latitude, longitude } : null;
