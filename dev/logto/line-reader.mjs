// Reads lines from a terminal, key by key, so that what is hidden is hidden from its first character on: what is pasted
// together with the answer before is not shown either.

import { emitKeypressEvents } from "node:readline";
import { Problem } from "./problem.mjs";

const ENDS_LINE = ["return", "enter"];
const ERASE = "\b \b";

/**
 * @typedef {object} LineReader
 * @property {(question: string, options?: {isHidden?: boolean, isOneWord?: boolean}) => Promise<string>} ask
 *   `isOneWord`: white space ends the answer as well, and what follows it belongs to the next question
 * @property {() => void} close  gives the terminal back; keys that no question has taken are forgotten
 *
 * @param {{input: NodeJS.ReadStream, output: NodeJS.WriteStream}} terminal
 * @returns {LineReader}
 */
export function openLineReader({ input, output }) {
  const keys = [];
  let question;
  let hasEnded = false;
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.on("keypress", onKey);
  input.on("end", onEnd);
  input.resume();

  return {
    ask(text, { isHidden = false, isOneWord = false } = {}) {
      output.write(text);
      return new Promise((resolve, reject) => {
        // Pasted line ends and spaces between two answers are none.
        while (keys.length > 0 && (endsLine(keys[0]) || isSpace(keys[0]))) keys.shift();
        question = { answer: [], isHidden, isOneWord, resolve, reject };
        if (hasEnded) cancel();
        takeKeys();
      });
    },
    close() {
      input.off("keypress", onKey);
      input.off("end", onEnd);
      input.setRawMode(false);
      input.pause();
    },
  };

  function onKey(character, key) {
    keys.push({ character, ...key });
    takeKeys();
  }

  function onEnd() {
    hasEnded = true;
    if (question !== undefined) cancel();
  }

  function takeKeys() {
    while (question !== undefined && keys.length > 0) takeKey(keys.shift());
  }

  function takeKey(key) {
    const { answer, isHidden, isOneWord } = question;
    if (key.ctrl && (key.name === "c" || key.name === "d")) return cancel();
    if (endsLine(key)) return finish();
    if (isOneWord && isSpace(key)) return answer.length > 0 ? finish() : undefined;
    if (key.name === "backspace") return erase(1);
    if (key.ctrl && key.name === "u") return erase(answer.length);
    // Arrows, function keys and marks of a paste have no character; keys with Ctrl have a control character.
    if (key.character === undefined || key.meta || /\p{Cc}/u.test(key.character)) return undefined;
    answer.push(key.character);
    if (!isHidden) output.write(key.character);
    return undefined;
  }

  function erase(count) {
    const erased = question.answer.splice(-count || Infinity).length;
    if (!question.isHidden) output.write(ERASE.repeat(erased));
  }

  function finish() {
    const { answer, resolve } = question;
    question = undefined;
    output.write("\n");
    resolve(answer.join("").trim());
  }

  function cancel() {
    const { reject } = question;
    question = undefined;
    output.write("\n");
    reject(new Problem("cancelled; nothing was changed"));
  }
}

const endsLine = ({ name }) => ENDS_LINE.includes(name);

const isSpace = ({ character }) => character === " " || character === "\t";
