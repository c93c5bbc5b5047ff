// The browser of the tests is that of the programs in the terminal.
export * from "../../dev/scripted-browser.mjs";
