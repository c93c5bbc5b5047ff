// What a Durable Object asks of its storage. Statements and rows travel as JSON, in one call; see src/sql/encoding.rs.

const toParameter = (value) => (Array.isArray(value) ? Uint8Array.fromBase64(value[0]) : value);
const toValue = (value) => (value instanceof ArrayBuffer ? [new Uint8Array(value).toBase64()] : value);

// The rows of each statement, or `!` and the message of the error. Several statements are one transaction.
export function execute({ storage }, statements) {
  const executeOne = ([text, ...parameters]) =>
    Array.from(storage.sql.exec(text, ...parameters.map(toParameter)).raw(), (row) => row.map(toValue));
  try {
    const list = JSON.parse(statements);
    const executeAll = () => list.map(executeOne);
    return JSON.stringify(list.length === 1 ? executeAll() : storage.transactionSync(executeAll));
  } catch (error) {
    return `!${error?.message ?? error}`;
  }
}

// These reject if the storage fails.
export async function setAlarm({ storage }, at) {
  await storage.setAlarm(at);
}

export async function getAlarm({ storage }) {
  return (await storage.getAlarm()) ?? undefined;
}

export async function deleteAlarm({ storage }) {
  await storage.deleteAlarm();
}
