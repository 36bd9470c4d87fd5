/** What a device says that a stream is, in Home Assistant's words: surer than its name, and so asked first. */

/** Something's contents. */
const VESSELS = new Set(["battery", "volume_storage"]);

/** What only ever grows: where it stands matters more than its way there. */
const COUNTED = new Set(["energy", "gas", "monetary", "water"]);

/**
 * The type of tile that a stream's device class asks for.
 * @param {{kind: string, deviceClass: string}} stream
 * @returns {string} "" where it asks for none: a state is a state, whatever it is of
 */
export function typeByClass({ kind, deviceClass }) {
  if (kind === "text") return deviceClass === "enum" ? "timeline" : "";
  if (kind !== "number" || !deviceClass) return "";
  return VESSELS.has(deviceClass) ? "liquid" : COUNTED.has(deviceClass) ? "number" : "line";
}
