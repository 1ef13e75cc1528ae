/**
 * A value that others watch.
 *
 * @template T
 * @param {T} value
 * @returns {{get: () => T, set: (next: T) => void, update: (change: (now: T) => T) => void,
 *   subscribe: (told: (now: T) => void) => () => void}} `subscribe` calls at once and at every
 *   change, and gives back what ends it
 */
export function store(value) {
  const watchers = new Set();
  const set = next => {
    if (Object.is(next, value)) return;
    value = next;
    for (const told of [...watchers]) told(value);
  };
  return {
    get: () => value,
    set,
    update: change => set(change(value)),
    subscribe(told) {
      watchers.add(told);
      told(value);
      return () => watchers.delete(told);
    },
  };
}

/**
 * A value that this browser keeps.
 *
 * @param {string} name below `evento.`
 * @param {string} otherwise where nothing is kept
 */
export function kept(name, otherwise) {
  const key = `evento.${name}`;
  const one = store(localStorage.getItem(key) ?? otherwise);
  return {
    ...one,
    set(next) {
      localStorage.setItem(key, next);
      one.set(next);
    },
  };
}

/** What a person chose for this browser. */
export const prefs = {
  /** `system`, `light` or `dark`. */
  theme: kept('theme', 'system'),
  /** `local` or `utc`: how times are shown. */
  zone: kept('zone', 'local'),
  /** `dense` or `comfortable`: height of rows. */
  density: kept('density', 'dense'),
};

/** Runs at most once in a frame, however often it is asked to. */
export function frame(work) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    // A hidden page has no frames, and still has to keep up.
    const run = () => { due = false; work(); };
    if (document.hidden) setTimeout(run, 250); else requestAnimationFrame(run);
  };
}
