import {api, BASE, isAborted, request} from './api.js';
import {session} from './session.js';
import {frame, store} from './store.js';

/**
 * What is live on a page: topics of the one stream of server-sent events of this tab, and answers of
 * the API that are asked for again and again. Both say how old they are, and both stop while the tab
 * is hidden.
 */

const HIDDEN_MAX_MILLIS = 30_000;
const POLL_MILLIS = 5_000;
const RETRY_MAX_MILLIS = 15_000;

/** Whether a person has stopped all that moves. */
export const paused = store(false);

/**
 * Of the stream: `connecting`, `live`, `polling` (no node has room for a stream), `lost` or `idle`
 * (nothing is asked for).
 */
export const link = store('idle');

/** When something came last, by this browser's clock in milliseconds; 0 before. */
export const heardAt = store(0);

const topics = new Map();
let source = null;
let opened = '';
let retryMillis = 1_000;
let timer = 0;
let hiddenSince = 0;

/** `{data, at, problem}`: what came, when, and why nothing comes any more. */
const NOTHING = Object.freeze({data: null, at: 0, problem: null});

/**
 * A topic of the stream: `nodes`, `metrics` …
 *
 * @param {string} name
 * @returns {{get: () => {data: any, at: number}, subscribe: (told: (now: {data: any, at: number}) =>
 *   void) => () => void}} the stream has it as long as somebody subscribes
 */
export function topic(name) {
  let one = topics.get(name);
  if (!one) {
    one = {value: store(NOTHING), users: 0};
    topics.set(name, one);
  }
  return {
    get: one.value.get,
    subscribe(told) {
      one.users++;
      reopenSoon();
      const off = one.value.subscribe(now => {
        if (now !== NOTHING) told(now);
      });
      let isOn = true;
      return () => {
        if (!isOn) return;
        isOn = false;
        off();
        one.users--;
        reopenSoon();
      };
    },
  };
}

const wanted = () => [...topics].filter(([, one]) => one.users > 0).map(([name]) => name).sort().join(',');

function reopenSoon() {
  clearTimeout(timer);
  timer = setTimeout(open, 30);
}

function open() {
  const names = wanted();
  if (names === opened && source) return;
  close();
  opened = names;
  if (!names || !session.get() || document.hidden && hiddenSince) {
    link.set('idle');
    return;
  }
  link.set('connecting');
  const mine = new EventSource(`${BASE}/live?topics=${encodeURIComponent(names)}`);
  source = mine;
  mine.addEventListener('open', () => {
    retryMillis = 1_000;
    link.set('live');
  });
  mine.addEventListener('snapshot', event => hear(event, (_, said) => said));
  mine.addEventListener('patch', event => hear(event, merge));
  mine.addEventListener('beat', () => heardAt.set(Date.now()));
  // Said by a node that leaves, or after ten minutes: another takes over at once.
  mine.addEventListener('end', () => mine === source && again(50));
  mine.onerror = () => mine === source && lost();
}

function close() {
  source?.close();
  source = null;
  clearTimeout(timer);
}

function again(millis) {
  close();
  timer = setTimeout(open, millis);
}

/** Whether there is no room, or no connection, only an ordinary request says. */
async function lost() {
  close();
  link.set('lost');
  const wait = retryMillis;
  retryMillis = Math.min(retryMillis * 2, RETRY_MAX_MILLIS);
  timer = setTimeout(async () => {
    try {
      await poll();
      // It answers: then a stream may have room again.
      timer = setTimeout(open, link.get() === 'polling' ? POLL_MILLIS : 50);
    } catch {
      lost();
    }
  }, wait);
}

async function poll() {
  const names = wanted();
  if (!names || paused.get()) return;
  const {data} = await request('GET', '/live', {query: {topics: names}});
  link.set('polling');
  for (const [name, said] of Object.entries(data.topics)) put(name, said);
}

function hear(event, how) {
  const said = JSON.parse(event.data);
  const now = topics.get(said.topic)?.value.get().data;
  put(said.topic, how(now, said.data));
}

function put(name, data) {
  const now = Date.now();
  heardAt.set(now);
  if (!paused.get()) topics.get(name)?.value.set({data, at: now, problem: null});
}

/** RFC 7386: a member that is null goes. Gives a new value, and leaves the present one as it is. */
export function merge(now, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const next = now && typeof now === 'object' && !Array.isArray(now) ? {...now} : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete next[name];
    else next[name] = merge(next[name], value);
  }
  return next;
}

/**
 * An answer of the API that is asked for again and again, where no topic of the stream has it.
 *
 * @param {string} path below the API
 * @param {{every?: number, query?: object}} [how] `every` in milliseconds, 2000 by default
 * @returns {{get: () => {data: any, at: number, problem: Error | null}, subscribe: Function,
 *   refresh: () => Promise<void>}} as a topic; `refresh` asks now. A failure keeps the data and says
 *   so in `problem`
 */
export function watch(path, how = {}) {
  const value = store(NOTHING);
  let users = 0;
  let next = 0;
  let asking = null;
  const stop = () => {
    clearTimeout(next);
    asking?.abort();
    asking = null;
  };
  async function ask() {
    clearTimeout(next);
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    try {
      const data = await api.get(path, how.query, mine.signal);
      heardAt.set(Date.now());
      value.set({data, at: Date.now(), problem: null});
    } catch (problem) {
      if (!isAborted(problem) && asking === mine) value.set({...value.get(), problem});
    }
    if (asking === mine && users > 0) next = setTimeout(turn, how.every ?? 2_000);
  }
  function turn() {
    if (paused.get() || document.hidden) next = setTimeout(turn, 500);
    else ask();
  }
  return {
    get: value.get,
    refresh: ask,
    subscribe(told) {
      if (users++ === 0) ask();
      const off = value.subscribe(now => {
        if (now !== NOTHING) told(now);
      });
      let isOn = true;
      return () => {
        if (!isOn) return;
        isOn = false;
        off();
        if (--users === 0) stop();
      };
    },
  };
}

/** Calls at most once in a frame with the newest of several topics. */
export function together(sources, told) {
  const run = frame(() => told(sources.map(one => one.get())));
  const off = sources.map(one => one.subscribe(run));
  return () => off.forEach(end => end());
}

/**
 * Draws whenever something comes. What a page gives back from `show`: `return shown(nodes, draw)`.
 *
 * @param {{subscribe: Function}} source a topic or a watch
 * @param {(now: {data: any, at: number, problem: Error | null}) => void} draw
 * @returns {Promise<() => void>} what ends it, once it has drawn first
 */
export function shown(source, draw) {
  return new Promise(done => {
    let off = null;
    let isDrawn = false;
    off = source.subscribe(now => {
      draw(now);
      if (!isDrawn) {
        isDrawn = true;
        queueMicrotask(() => done(() => off()));
      }
    });
  });
}

session.subscribe(who => {
  if (who) {
    reopenSoon();
  } else {
    close();
    opened = '';
    link.set('idle');
  }
});

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    hiddenSince = Date.now();
    setTimeout(() => {
      if (document.hidden && Date.now() - hiddenSince >= HIDDEN_MAX_MILLIS) {
        close();
        link.set('idle');
      }
    }, HIDDEN_MAX_MILLIS);
  } else {
    hiddenSince = 0;
    if (!source) reopenSoon();
  }
});
