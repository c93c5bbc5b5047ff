// Fifty tools of a fictional product: five operations on each of ten kinds of records, with typed arguments.
//
// `bench/worker` declares the same in Rust. The benchmark lists them and does not call them.

import * as z from "zod";

const RECORDS = ["note", "project", "task", "contact", "invoice", "order", "product", "ticket", "meeting", "file"];

const id = z.string().describe("Id of the record");
const title = z.string().describe("One line, shown in lists");
const body = z.string().describe("The text, in Markdown");

const OPERATIONS = {
  search: {
    says: (record) => `Finds ${record}s by words in them, best match first.`,
    takes: z.object({
      query: z.string().describe("Words to look for"),
      limit: z.int().min(1).max(100).optional().describe("How many to return at most"),
    }),
  },
  get: {
    says: (record) => `Reads one ${record}.`,
    takes: z.object({ id }),
  },
  create: {
    says: (record) => `Makes a new ${record} and returns its id.`,
    takes: z.object({ title, body, labels: z.array(z.string()).optional().describe("Labels to put on it") }),
  },
  update: {
    says: (record) => `Changes what is named of a ${record} and leaves the rest.`,
    takes: z.object({ id, title: title.optional(), body: body.optional() }),
  },
  delete: {
    says: (record) => `Removes a ${record} for good.`,
    takes: z.object({ id, reason: z.string().optional().describe("Why, for the record") }),
  },
};

/** @type {{name: string, description: string, inputSchema: z.ZodType}[]} */
export const fiftyTools = RECORDS.flatMap((record) =>
  Object.entries(OPERATIONS).map(([operation, { says, takes }]) => ({
    name: `${record}_${operation}`,
    description: says(record),
    inputSchema: takes,
  })),
);
