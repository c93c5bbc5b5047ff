// Elements, made of text and of other elements. Nothing here reads HTML, so nothing from outside becomes markup.

/**
 * An element. Attributes that are `undefined` or `false` are left out, functions become listeners; so do children.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | undefined | false)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== false));
  return element;
}

/** Text that scrolls where it is long, for which it must be reachable with the keyboard. */
export const scrollable = (label, text) => h("pre", { tabindex: "0", role: "group", "aria-label": label }, text);

export const byId = (id) => document.getElementById(id);
