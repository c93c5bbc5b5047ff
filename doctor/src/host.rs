//! Node.js, as the doctor sees it: the methods of an object that `doctor/node/host.mjs` makes.
//!
//! All of them return when they are done: the thread that runs the doctor waits while another one has the connections.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Node.js.
    #[derive(Debug, Clone)]
    pub type Host;

    /// The arguments.
    #[wasm_bindgen(method)]
    pub fn arguments(this: &Host) -> Vec<String>;
    /// An environment variable.
    #[wasm_bindgen(method)]
    pub fn variable(this: &Host, name: &str) -> Option<String>;
    /// Whether `\` separates folders, too.
    #[wasm_bindgen(method, js_name = isWindows)]
    pub fn is_windows(this: &Host) -> bool;
    /// Reads a file.
    #[wasm_bindgen(method, js_name = readFile)]
    pub fn read_file(this: &Host, path: &str) -> Reading;
    /// Reads standard input, up to so many bytes. `undefined` if it is a terminal.
    #[wasm_bindgen(method, js_name = readInput)]
    pub fn read_input(this: &Host, max_bytes: u32) -> Option<Reading>;
    /// Seconds since 1970.
    #[wasm_bindgen(method)]
    pub fn now(this: &Host) -> f64;
    /// The width of the terminal.
    #[wasm_bindgen(method)]
    pub fn width(this: &Host) -> Option<u32>;
    /// Whether reports have colours.
    #[wasm_bindgen(method, js_name = hasColours)]
    pub fn has_colours(this: &Host) -> bool;
    /// Writes to standard output.
    #[wasm_bindgen(method)]
    pub fn print(this: &Host, text: &str);
    /// Writes to standard error.
    #[wasm_bindgen(method, js_name = printError)]
    pub fn print_error(this: &Host, text: &str);
    /// Writes to standard error, at once, if it is a terminal.
    #[wasm_bindgen(method, js_name = printProgress)]
    pub fn print_progress(this: &Host, text: &str);

    /// Makes a client that gives up each request after so many milliseconds, and trusts these certificates (PEM), or
    /// Mozilla's.
    #[wasm_bindgen(method)]
    pub fn connect(this: &Host, timeout: u32, authorities: Option<Vec<String>>) -> Network;

    /// A client.
    #[derive(Debug, Clone)]
    pub type Network;

    /// Begins a request, in JSON (see `doctor/node/http-worker.mjs`). What happens to it is in the events with its number.
    #[wasm_bindgen(method)]
    pub fn start(this: &Network, number: u32, request: &str);
    /// Waits for the next event.
    #[wasm_bindgen(method)]
    pub fn next(this: &Network) -> Event;
    /// Closes the connection of a request. Events that are on their way still arrive.
    #[wasm_bindgen(method)]
    pub fn cancel(this: &Network, number: u32);

    /// What happened to a request.
    #[derive(Debug)]
    pub type Event;

    /// The number of the request.
    #[wasm_bindgen(method, getter)]
    pub fn number(this: &Event) -> u32;
    /// `head`, `chunk`, `end`, `error`, or `lost`: there will be no events any more.
    #[wasm_bindgen(method, getter)]
    pub fn kind(this: &Event) -> String;
    /// Of `head`: the status code.
    #[wasm_bindgen(method, getter)]
    pub fn status(this: &Event) -> u16;
    /// Of `head`: names and values in turn.
    #[wasm_bindgen(method, getter)]
    pub fn headers(this: &Event) -> Vec<String>;
    /// Of `chunk`: a part of the body.
    #[wasm_bindgen(method, getter)]
    pub fn bytes(this: &Event) -> Vec<u8>;
    /// Of `error`: its code.
    #[wasm_bindgen(method, getter)]
    pub fn code(this: &Event) -> String;
    /// Of `error`: its message.
    #[wasm_bindgen(method, getter)]
    pub fn message(this: &Event) -> String;

    /// What was read, or why it was not.
    #[derive(Debug)]
    pub type Reading;

    /// The content.
    #[wasm_bindgen(method, getter, js_name = bytes)]
    pub fn content(this: &Reading) -> Option<Vec<u8>>;
    /// The code of the error.
    #[wasm_bindgen(method, getter, js_name = code)]
    pub fn error_code(this: &Reading) -> String;
    /// The message of the error.
    #[wasm_bindgen(method, getter, js_name = message)]
    pub fn error_message(this: &Reading) -> String;
}
