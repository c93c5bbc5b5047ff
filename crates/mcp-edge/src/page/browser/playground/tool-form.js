// The form for one tool, made from its `inputSchema`.

import { h } from "../dom.js";
import { argumentsFrom, FieldError, fieldsOf } from "./form.js";

/** The fields of the form, and how to read them. */
export class ToolForm {
  #fields;

  /**
   * @param {HTMLElement} place  is emptied first
   * @param {{name: string, description?: string, inputSchema?: object}} tool
   */
  constructor(place, tool) {
    this.#fields = fieldsOf(tool.inputSchema);
    place.replaceChildren(...this.#fields.map(fieldView));
  }

  /**
   * The arguments, or nothing if something is wrong: then the field says so, and has the focus.
   * @returns {object | undefined}
   */
  read() {
    for (const { name } of this.#fields) report(name, "");
    try {
      return argumentsFrom(this.#fields, (name) => {
        const control = controlOf(name);
        return control.type === "checkbox" ? control.checked : control.value;
      });
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      report(error.field, error.message);
      controlOf(error.field).focus();
      return undefined;
    }
  }
}

const idOf = (name) => `argument-${name}`;
const controlOf = (name) => document.getElementById(idOf(name));

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
      return schema.maxLength > 200 || schema.maxLength === undefined
        ? h("textarea", { ...attributes, rows: 2, maxlength: schema.maxLength }, initial ?? "")
        : h("input", { ...attributes, type: "text", maxlength: schema.maxLength, value: initial, autocomplete: "off" });
  }
}

function report(name, message) {
  document.getElementById(`${idOf(name)}-error`).textContent = message;
  controlOf(name).setAttribute("aria-invalid", String(message !== ""));
}
