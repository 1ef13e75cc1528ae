/** Where the API is; the same on all nodes. */
export const BASE = '/evento/api';

const GET_MAX_MILLIS = 20_000;

/** An answer that says what went wrong: RFC 9457 problem details, or that nobody answered. */
export class Problem extends Error {
  /**
   * @param {number} status of HTTP; 0 if nobody answered
   * @param {{code?: string, title?: string, detail?: string, errors?: {field: string, message: string}[]}} body
   */
  constructor(status, body) {
    super(body.detail || body.title || 'The request failed.');
    this.name = 'Problem';
    this.status = status;
    /** Stable: `forbidden`, `not-found`, `conflict`, `unavailable` … */
    this.code = body.code || (status === 0 ? 'unreachable' : 'unknown');
    this.title = body.title || 'Failed';
    this.detail = body.detail || this.message;
    this.errors = (body.errors || []).map(one => ({field: one.field ?? one.pointer ?? '', message: one.message ?? one.rule ?? ''}));
    this.body = body;
  }
}

/** What is asked for so long after somebody did something, the page asks for by itself. */
const ACT_MILLIS = 60_000;

/** So often a node hears that somebody is there, who does what needs no request. */
const TELL_MILLIS = 300_000;

let csrf = null;
let renew = null;
let actedAt = Date.now();
let toldAt = Date.now();

function act() {
  actedAt = Date.now();
  if (csrf && actedAt - toldAt > TELL_MILLIS) request('GET', '/session', {quiet: true}).catch(() => {});
}

for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchstart']) {
  addEventListener(kind, act, {capture: true, passive: true});
}

/** What each request says that may change something. */
export function useCsrf(token) {
  csrf = token;
}

/**
 * @param {() => Promise<boolean>} how asks the person to sign in again, over the page; true if he
 *   did, and the request is made again
 */
export function whenExpired(how) {
  renew = how;
}

/**
 * @param {string} path below the API, with its escapes: `/nodes`
 * @param {Record<string, string | number | boolean | string[] | null | undefined>} [query] null, undefined and
 *   blank values are left out; a list is given as one parameter each
 */
export function url(path, query = {}) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '') given.append(name, String(one));
    }
  }
  const text = given.toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

/**
 * @param {string} method
 * @param {string} path below the API
 * @param {{query?: object, body?: unknown, text?: string, signal?: AbortSignal, headers?: Record<string, string>,
 *   quiet?: boolean}} [how] `text` is a body that is JSON already; `quiet` does not ask to sign in when the session is over
 * @returns {Promise<{status: number, headers: Headers, data: any}>} `data` is null without a body
 * @throws {Problem}
 */
export async function request(method, path, how = {}) {
  const headers = {Accept: 'application/json', ...how.headers};
  const isSafe = method === 'GET';
  if (how.body !== undefined || how.text !== undefined) headers['Content-Type'] = 'application/json';
  if (!isSafe && csrf) headers['Evento-CSRF'] = csrf;
  // A page that is open for hours must not keep the session of who has gone away.
  if (isSafe && Date.now() - actedAt > ACT_MILLIS) headers['Evento-Background'] = '1';
  else if (path !== '/live') toldAt = Date.now();
  const limit = isSafe ? AbortSignal.timeout(GET_MAX_MILLIS) : null;
  const signals = [how.signal, limit].filter(Boolean);
  let response;
  let text;
  try {
    response = await fetch(url(path, how.query), {
      method,
      headers,
      body: how.text ?? (how.body === undefined ? undefined : JSON.stringify(how.body)),
      signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0],
      credentials: 'same-origin',
      cache: 'no-store',
    });
    text = response.status === 204 ? '' : await response.text();
  } catch (failure) {
    if (how.signal?.aborted) throw how.signal.reason ?? failure;
    throw new Problem(0, {detail: 'No node answers. The console tries again by itself.'});
  }
  const data = parse(text);
  if (response.ok) return {status: response.status, headers: response.headers, data};
  if (response.status === 401 && !how.quiet && renew && await renew()) {
    return request(method, path, {...how, quiet: true});
  }
  throw new Problem(response.status, data && typeof data === 'object' ? data : {
    detail: `The node answered ${response.status}.`,
  });
}

function parse(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The API by method; each gives what the body says. */
export const api = {
  get: async (path, query, signal) => (await request('GET', path, {query, signal})).data,
  post: async (path, body, query, signal) => (await request('POST', path, {body, query, signal})).data,
  /** Of a body that is JSON already, whose numbers stay as they are. */
  postText: async (path, text, query, signal) => (await request('POST', path, {text, query, signal})).data,
  put: async (path, body, query, headers) => (await request('PUT', path, {body, query, headers})).data,
  delete: async (path, query, headers) => (await request('DELETE', path, {query, headers})).data,
};

/** Says what the person has seen: if somebody else has changed it since, the change is refused. */
export const ifSeen = tag => ({'If-Match': `"${tag}"`});

/** Whether a failure only says that its page has been left. */
export const isAborted = failure => failure?.name === 'AbortError';
