// How applications that this program made are known again: by a member of their custom data, not by their name.

/** The member of the custom data. */
export const MARK = "mcp-edge";

/** Whether an application was made for a use of a resource. */
export const isMadeFor = ({ customData }, use, resource) => {
  const mark = customData?.[MARK];
  return mark?.use === use && mark?.resource === resource;
};
