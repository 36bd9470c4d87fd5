/** What to call a tile where it is spoken of. */

/** @import { TileConfig } from "../types.js" */

import { withEmoji } from "../emoji.js";
import { t } from "../i18n.js";
import { kindOf } from "../tiles/registry.js";

/** @param {string} type */
export const typeName = (type) => (kindOf(type) ? t(`tiles.${type}.name`) : type);

/**
 * @param {TileConfig} tile
 */
export const nameOf = ({ title, streams, type }) => withEmoji(title || streams.join(", ") || typeName(type));
