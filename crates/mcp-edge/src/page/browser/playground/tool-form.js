// The form for a tool, created from its `inputSchema`.

import { byId, h } from "../dom.js";
import { argumentsFrom, fieldsOf } from "./form.js";

/**
 * Fills the form and returns a function that reads it. That returns the arguments, or `undefined` after showing an error
 * at a field and moving the focus there.
 * @param {HTMLElement} place
 * @param {{inputSchema?: object}} tool
 * @returns {() => object | undefined}
 */
export function fillForm(place, { inputSchema }) {
  const fields = fieldsOf(inputSchema);
  place.replaceChildren(...fields.map(fieldView));
  return () => {
    for (const { name } of fields) report(name, "");
    try {
      return argumentsFrom(fields, (name) => {
        const control = byId(idOf(name));
        return control.type === "checkbox" ? control.checked : control.value;
      });
    } catch (error) {
      if (!error.field) throw error;
      report(error.field, error.message);
      byId(idOf(error.field)).focus();
      return undefined;
    }
  };
}

const idOf = (name) => `argument-${name}`;

function fieldView(field) {
  const { name, label, hint, kind, required } = field;
  const id = idOf(name);
  const described = [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
  const control = controlFor(field, { id, "aria-describedby": described, "aria-required": required ? "true" : undefined });
  const caption = h("label", { for: id }, label, !required && h("small", {}, " optional"));
  const about = [hint && h("small", { id: `${id}-hint` }, hint), h("small", { id: `${id}-error`, class: "error" })];
  const parts = kind === "flag" ? [control, caption] : [caption, control];
  return h("div", { class: `field ${kind}` }, parts, about);
}

function controlFor({ kind, required, choices, initial, schema }, attributes) {
  switch (kind) {
    case "flag":
      return h("input", { ...attributes, type: "checkbox", checked: initial === true });
    case "choice":
      return h(
        "select",
        attributes,
        !required && h("option", { value: "" }, "–"),
        choices.map((choice, index) => h("option", { value: index, selected: choice === initial }, String(choice))),
      );
    case "number":
      return h("input", {
        ...attributes,
        type: "number",
        min: schema.minimum,
        max: schema.maximum,
        step: schema.type === "integer" ? 1 : "any",
        value: initial,
      });
    case "json":
      return h(
        "textarea",
        { ...attributes, rows: 3, spellcheck: "false", placeholder: schema.type === "array" ? "[]" : "{}" },
        initial === undefined ? "" : JSON.stringify(initial),
      );
    default:
      return !(schema.maxLength <= 200)
        ? h("textarea", { ...attributes, rows: 2, maxlength: schema.maxLength }, initial ?? "")
        : h("input", { ...attributes, type: "text", maxlength: schema.maxLength, value: initial, autocomplete: "off" });
  }
}

function report(name, message) {
  byId(`${idOf(name)}-error`).textContent = message;
  byId(idOf(name)).setAttribute("aria-invalid", String(message !== ""));
}
