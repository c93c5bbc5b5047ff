// Creates DOM elements from text and other elements. Nothing is parsed as HTML, so no text becomes markup.

/**
 * Creates an element. Attributes and children that are `undefined` or `false` are left out; an attribute that is a
 * function becomes a listener.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | undefined | false)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (isGiven(value)) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter(isGiven));
  return element;
}

const isGiven = (value) => value !== undefined && value !== false;

/** Creates a box of text that scrolls; `tabindex` makes it reachable with the keyboard. */
export const scrollable = (label, text) => h("pre", { tabindex: "0", role: "group", "aria-label": label }, text);

export const byId = (id) => document.getElementById(id);
