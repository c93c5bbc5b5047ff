// Makes the steps of a plan.

export const create = (subject, calls, details = []) => ({ action: "create", subject, details, calls });

export const change = (subject, details, calls) => ({ action: "change", subject, details, calls });

export const keep = (subject, details = []) => ({ action: "keep", subject, details, calls: [] });

export const leave = (subject, because, more = {}) => ({ action: "leave", subject, details: [], because, calls: [], ...more });

/** An id that an earlier step gives. */
export const ref = (name) => ({ ref: name });
