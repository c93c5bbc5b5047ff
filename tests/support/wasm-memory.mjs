// Limits the memory of a WebAssembly module, as the platform does.

const HEADER_BYTES = 8;
const MEMORY_SECTION = 5;
const HAS_MAXIMUM = 1;

/**
 * Returns the module with another maximum in its memory section (WebAssembly 2.0, binary format, §5.5.8).
 * @param {Buffer} module
 * @param {number} maximum  in pages of 64 KiB
 */
export function limitMemory(module, maximum) {
  for (let at = HEADER_BYTES; at < module.length; ) {
    const id = module[at];
    const [size, start] = readUnsigned(module, at + 1);
    if (id === MEMORY_SECTION) {
      const [count, flagsAt] = readUnsigned(module, start);
      const [minimum] = readUnsigned(module, flagsAt + 1);
      if (count !== 1 || module[flagsAt] > HAS_MAXIMUM) throw new Error("not one memory of its own with 32-bit addresses");
      if (minimum > maximum) throw new Error(`it begins with ${minimum} pages`);
      const content = Buffer.from([1, HAS_MAXIMUM, ...unsigned(minimum), ...unsigned(maximum)]);
      const section = Buffer.concat([Buffer.from([MEMORY_SECTION, ...unsigned(content.length)]), content]);
      return Buffer.concat([module.subarray(0, at), section, module.subarray(start + size)]);
    }
    at = start + size;
  }
  throw new Error("it has no memory section");
}

// LEB128: the number, and the offset after it.
function readUnsigned(bytes, from) {
  let number = 0;
  for (let at = from, shift = 0; ; at += 1, shift += 7) {
    number += (bytes[at] & 0x7f) * 2 ** shift;
    if (bytes[at] < 0x80) return [number, at + 1];
  }
}

function unsigned(number) {
  const bytes = [];
  for (; number >= 0x80; number = Math.floor(number / 0x80)) bytes.push((number & 0x7f) | 0x80);
  return [...bytes, number];
}
