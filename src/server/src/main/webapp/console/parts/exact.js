/**
 * JSON as it was written. `JSON.parse` rounds numbers that a double cannot hold, so payloads that somebody edits go
 * by their text.
 */

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARKED = /"([sn])((?:[^"\\]|\\.)*)"/g;

/**
 * A value whose strings, names and numbers are marked strings: only for {@link write} and {@link nameOf}.
 *
 * @param {string} text JSON
 * @throws {SyntaxError} in the words of `JSON.parse`
 */
export function read(text) {
  JSON.parse(text); // of what is wrong it tells the place in the text that the person sees
  return JSON.parse(text.replace(TOKEN, token => token[0] === '"' ? `"s${token.slice(1)}` : `"n${token}"`));
}

/** The text of what was read, with the digits that its numbers had. */
export const write = (value, space) => (JSON.stringify(value, null, space) ?? '')
  .replace(MARKED, (_, mark, inner) => mark === 's' ? `"${inner}"` : inner);

/** The name of a property of what was read. */
export const nameOf = key => key.slice(1);
