// The charts of the README, drawn by Vega-Lite: each once for light and once for dark pages.

import { parse, View } from "vega";
import { compile } from "vega-lite";
import { series, spreadOf } from "./statistics.mjs";

// mcp-edge is highlighted and the no-op is pale. Every bar has a label, so the charts need no colours.
const THEMES = {
  light: { text: "#1f2328", faint: "#59636e", grid: "#d1d9e0", ours: "#0f766e", peer: "#9aa4b2", floor: "#d5dbe3" },
  dark: { text: "#f0f6fc", faint: "#9198a1", grid: "#3d444d", ours: "#2dd4bf", peer: "#6b7684", floor: "#3d4753" },
};

const FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

const WHOAMI = ["rs256-repeated", "rs256-turn", "rs256-new", "es384-repeated", "es384-turn", "es384-new"];
const OTHERS = ["no-token", "bad-signature", "metadata", "legacy-era", "fifty-tools"];

/**
 * @typedef {object} Bar
 * @property {string} panel
 * @property {string} contender
 * @property {string} role     "ours", "peer" or "floor"
 * @property {number} median
 * @property {number} min
 * @property {number} max
 *
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} subtitle
 * @property {number} columns  of panels
 * @property {string} format   of numbers, for d3-format
 * @property {Bar[]} bars
 */

/**
 * @param {import("../harness/run.mjs").Results} results
 * @returns {Promise<Record<string, string>>} SVG by file name
 */
export async function chartsOf(results) {
  const charts = {
    throughput: {
      title: "whoami with a bearer token: requests per second",
      subtitle: "More is better. Median of the rounds, with the lowest and the highest.",
      columns: 3,
      format: ",.0f",
      bars: barsOf(results, WHOAMI, "perSecond"),
    },
    cpu: {
      title: "whoami with a bearer token: CPU milliseconds per request",
      subtitle: "Less is better. Median of the rounds, with the lowest and the highest.",
      columns: 3,
      format: ".2f",
      bars: barsOf(results, WHOAMI, "cpuMs"),
    },
    others: {
      title: "Other requests per second",
      subtitle: "More is better. Median of the rounds, with the lowest and the highest.",
      columns: 3,
      format: ",.0f",
      bars: barsOf(results, OTHERS, "perSecond"),
    },
    starts: {
      title: "Milliseconds from the start of the process to the first answer",
      subtitle: "Less is better. Median of the starts, with the shortest and the longest.",
      columns: 2,
      format: ".0f",
      bars: [
        ...startBars(results, "firstAnswer", "without a token"),
        ...startBars(results, "coldKeysInStore", "authenticated, keys in KV"),
      ],
    },
  };
  const files = {};
  for (const [name, chart] of Object.entries(charts)) {
    for (const [theme, colors] of Object.entries(THEMES)) files[`${name}-${theme}.svg`] = await draw(chart, colors);
  }
  return files;
}

function barsOf(results, loads, measure) {
  return loads.flatMap((load) => {
    const panel = results.loads.find(({ name }) => name === load).title;
    return bars(results, panel, ({ name }) => spreadOf(series(results, load, name, measure)));
  });
}

function startBars(results, measure, panel) {
  const spread = ({ name }) => spreadOf((results.starts[name] ?? []).map((start) => start[measure]));
  return bars(results, panel, spread);
}

function bars({ contenders }, panel, spread) {
  return contenders
    .filter(({ name, isVariant }) => !isVariant && spread({ name }) !== undefined)
    .map(({ name, title }) => ({ panel, contender: title, role: roleOf(name), ...spread({ name }) }));
}

function roleOf(name) {
  if (name === "mcp-edge") return "ours";
  return name === "noop" ? "floor" : "peer";
}

async function draw({ title, subtitle, columns, format, bars: values }, colors) {
  // mcp-edge first, the no-op last.
  const names = Object.groupBy(values, ({ role }) => role);
  const sort = ["ours", "peer", "floor"].flatMap((role) => names[role] ?? []).map(({ contender }) => contender);
  const y = { field: "contender", type: "nominal", sort: [...new Set(sort)], title: null };
  const x = { type: "quantitative", title: null, axis: { tickCount: 4, format } };
  const specification = {
    title: { text: title, subtitle },
    data: { values },
    facet: { field: "panel", type: "nominal", sort: [...new Set(values.map(({ panel }) => panel))], title: null },
    columns,
    spacing: { row: 18, column: 24 },
    resolve: { axis: { x: "independent" } },
    spec: {
      width: 178,
      height: { step: 21 },
      layer: [
        {
          mark: { type: "bar", height: 14, cornerRadiusEnd: 2 },
          encoding: {
            y,
            x: { ...x, field: "median" },
            color: {
              field: "role",
              type: "nominal",
              legend: null,
              scale: { domain: ["ours", "peer", "floor"], range: [colors.ours, colors.peer, colors.floor] },
            },
          },
        },
        {
          mark: { type: "rule", color: colors.text, opacity: 0.7 },
          encoding: { y, x: { ...x, field: "min" }, x2: { field: "max" } },
        },
        {
          mark: { type: "text", align: "left", dx: 5, color: colors.text, fontSize: 11 },
          encoding: { y, x: { ...x, field: "max" }, text: { field: "median", format } },
        },
      ],
    },
    config: configOf(colors),
  };
  const view = new View(parse(compile(specification).spec), { renderer: "none" });
  return await view.toSVG();
}

function configOf({ text, faint, grid }) {
  return {
    background: "transparent",
    font: FONT,
    padding: 12,
    view: { stroke: null },
    title: { anchor: "start", color: text, fontSize: 16, subtitleColor: faint, subtitleFontSize: 12, offset: 14 },
    header: { labelColor: text, labelFontSize: 12, labelFontWeight: 600, labelAnchor: "start", labelPadding: 6 },
    axis: { labelColor: faint, labelFontSize: 11, domain: false, ticks: false, gridColor: grid, gridOpacity: 0.6 },
    axisY: { labelColor: text, grid: false, labelPadding: 8, labelLimit: 200 },
  };
}
