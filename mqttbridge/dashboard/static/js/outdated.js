/**
 * What a page of another version gets for a module that it asks for: together with those it has it would make a page
 * that nobody has tried. So it begins anew as the version that there is.
 */

/** Where servers of several versions share an address, once has to do. */
const ONCE_IN_MS = 60_000;
const KEY = "mqttbridge.begun-anew";

if (Date.now() - Number(sessionStorage.getItem(KEY)) > ONCE_IN_MS) {
  sessionStorage.setItem(KEY, String(Date.now()));
  location.reload();
}
throw new Error("this page is of another version than the server: it has to be reloaded");
