/** Die Texte der Seite auf Deutsch; siehe en.js. */
export const texts = {};
