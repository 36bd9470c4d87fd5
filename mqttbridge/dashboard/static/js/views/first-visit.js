/** What stands where there is nothing to see: loaded when that is so. */

import { lazy } from "./lazy.js";

const load = () => import("./welcome.js");

export const Denied = lazy(load, "Denied");
export const Welcome = lazy(load, "Welcome");
