// The script of the page without a playground.

import { readyCopyButtons } from "./copy.js";

readyCopyButtons(document);
