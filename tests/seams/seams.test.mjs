// The platform seams (docs/platform.md) at work, on workerd: a Worker that uses each of them as a Worker would.

import "../support/report-failures.mjs";
import "./objects.mjs";
import "./entrypoints.mjs";
import "./forwarding.mjs";
import "./forwarding-limits.mjs";
import "./keys.mjs";
import "./proxy.mjs";
