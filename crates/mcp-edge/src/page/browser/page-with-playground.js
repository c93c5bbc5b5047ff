// The script of the page with a playground.

import { readyCopyButtons } from "./copy.js";
import { readyPlayground } from "./playground/playground.js";

readyCopyButtons(document);
readyPlayground(document.getElementById("playground"));
