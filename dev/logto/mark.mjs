// How applications that this program made are known again: by a member of their custom data, not by their name. It also
// says which of their secrets each Worker has, never the secrets.

/** The member of the custom data. */
export const MARK = "mcp-edge";

/** Whether an application was made for a use of a resource. */
export const isMadeFor = ({ customData }, use, resource) => {
  const mark = customData?.[MARK];
  return mark?.use === use && mark?.resource === resource;
};

/**
 * What was put into a secret of a Worker: when the application's secret was made, or 0 for its id. Undefined if this program
 * has not put it, or the application is not its own.
 * @returns {number | undefined}
 */
export function recordOf({ customData } = {}, worker, name) {
  const record = customData?.[MARK]?.secrets?.[worker]?.[name];
  return typeof record === "number" ? record : undefined;
}

/** The custom data to add, so that `recordOf` says `record`. */
export function withRecord({ customData }, worker, name, record) {
  const mark = customData[MARK];
  return { [MARK]: { ...mark, secrets: { ...mark.secrets, [worker]: { ...mark.secrets?.[worker], [name]: record } } } };
}
