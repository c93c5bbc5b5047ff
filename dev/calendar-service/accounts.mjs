// The accounts of the calendar service, and what is in their calendars. They have nothing to do with the accounts at the
// identity provider of the MCP server: a user connects one with the other.

const account = (sub, username, name) => ({
  sub,
  username,
  password: username,
  name,
  email: `${username}@calendar.example`,
  email_verified: true,
  picture: null,
});

/** @type {import("../identity-provider/accounts.mjs").Account[]} */
export const CALENDAR_ACCOUNTS = [
  account("cal-alice-001", "alice.calendar", "Alice Doe"),
  account("cal-alice-002", "alice.work", "Alice Doe (work)"),
  account("cal-bob-0001", "bob.calendar", "Bob Roe"),
];

/** Events by the subject of the account: title, and days and hours from the start of the current day. */
const EVENTS = {
  "cal-alice-001": [
    { id: "a1", title: "Dentist", day: 0, hour: 9 },
    { id: "a2", title: "Dinner with Bob", day: 1, hour: 19 },
    { id: "a3", title: "Train to Oslo", day: 5, hour: 7 },
  ],
  "cal-alice-002": [{ id: "w1", title: "Quarterly review", day: 2, hour: 14 }],
  "cal-bob-0001": [{ id: "b1", title: "Dinner with Alice", day: 1, hour: 19 }],
};

const HOUR_MS = 3_600_000;

/**
 * The events of an account within some days from today, the first one first.
 * @returns {{id: string, title: string, starts_at: string}[]}
 */
export function eventsOf(subject, days, now = Date.now()) {
  const today = new Date(now).setUTCHours(0, 0, 0, 0);
  const wanted = (EVENTS[subject] ?? []).filter(({ day }) => day < days);
  return wanted.map(({ id, title, day, hour }) => ({
    id,
    title,
    starts_at: new Date(today + (24 * day + hour) * HOUR_MS).toISOString(),
  }));
}
