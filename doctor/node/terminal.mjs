// Terminals: colours, and writing to streams.

/**
 * Whether output has colours: the rules of the native program, which are those of <https://bixense.com/clicolors/> and
 * <https://no-color.org>.
 * @param {{isTerminal: boolean, env: Record<string, string | undefined>, platform: string}} output
 */
export function hasColours({ isTerminal, env, platform }) {
  const { NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM } = env;
  if (NO_COLOR) return false;
  if (CLICOLOR_FORCE !== undefined && CLICOLOR_FORCE !== "0") return true;
  if (CLICOLOR === "0") return false;
  const isCapable = TERM === undefined ? platform === "win32" : TERM !== "dumb";
  return isTerminal && (isCapable || CLICOLOR !== undefined || env.CI !== undefined);
}

/**
 * Writes a text to a stream. A reader that closes early (`| head`) is not an error.
 * @param {import("node:stream").Writable} stream
 * @param {string} text
 */
export async function write(stream, text) {
  if (text === "") return;
  await new Promise((resolve, reject) => {
    const fail = (error) => (error.code === "EPIPE" ? resolve() : reject(error));
    stream.once("error", fail);
    stream.write(text, (error) => {
      if (error) return fail(error);
      stream.off("error", fail);
      resolve();
    });
  });
}
