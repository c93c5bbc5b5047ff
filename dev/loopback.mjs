// URLs on this machine, where plain http is safe.

const HOSTS = ["localhost", "127.0.0.1", "[::1]"];

/** Whether a URL is on this machine. */
export const isLoopback = ({ hostname }) => HOSTS.includes(hostname);

/** Whether nobody on the network can read what is sent to a URL: it is https, or http on this machine. */
export const isPrivate = (url) => url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
