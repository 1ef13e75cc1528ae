/**
 * Keys of the keyboard: single (`?`), with a modifier (`mod+k`, which is Ctrl or Cmd), or two one
 * after the other (`g d`). None works while somebody types, but those with a modifier.
 */
const bound = new Map();
let before = null;
let beforeAt = 0;

const SEQUENCE_MAX_MILLIS = 1_200;

/**
 * @param {string} keys
 * @param {string} says what it does, for the list of keys
 * @param {(event: KeyboardEvent) => void} work
 * @param {string} [group] of the list
 * @returns {() => void} what ends it; a key bound later comes first
 */
export function on(keys, says, work, group = 'This page') {
  const one = {keys, says, work, group};
  const all = bound.get(keys) ?? [];
  bound.set(keys, [one, ...all]);
  return () => bound.set(keys, bound.get(keys).filter(other => other !== one));
}

/** What is bound now, by group. */
export function list() {
  const groups = new Map();
  for (const [one] of bound.values()) {
    if (!one || !one.says) continue;
    groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  }
  return groups;
}

function isTyping(target) {
  return target instanceof HTMLElement
    && (target.isContentEditable || target.matches('input, textarea, select'));
}

function name(event) {
  const mod = event.ctrlKey || event.metaKey ? 'mod+' : '';
  return mod + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

addEventListener('keydown', event => {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const key = name(event);
  if (!key.startsWith('mod+') && (isTyping(event.target) || document.querySelector('dialog:modal'))) return;
  const isSecond = before && event.timeStamp - beforeAt < SEQUENCE_MAX_MILLIS;
  const found = (isSecond ? bound.get(`${before} ${key}`)?.[0] : null) ?? bound.get(key)?.[0];
  before = key;
  beforeAt = event.timeStamp;
  if (found) {
    if (found.keys.includes(' ')) before = null;
    event.preventDefault();
    found.work(event);
  }
});
