import {store} from './store.js';

/** Where the console is; the same on all nodes. */
export const HOME = '/evento/console';

/**
 * Where the person is. `name` is the page (`nodes`), `path` what stands behind it, unescaped
 * (`['node-1']` for `/nodes/node-1`), `query` what the page keeps in the address.
 *
 * @type {ReturnType<typeof store<{name: string, path: string[], query: URLSearchParams}>>}
 */
export const place = store(read());

function read() {
  const [name = '', ...path] = location.pathname.slice(HOME.length).split('/').filter(Boolean)
    .map(decode);
  return {name, path, query: new URLSearchParams(location.search)};
}

/**
 * A part of an address: what is no letter or digit stands as `~` and the two digits of each of its
 * bytes, where addresses elsewhere have `%`. So no server and no balancer takes an id that has a slash
 * or a dot for something else, as for a file.
 */
const encode = part => encodeURIComponent(String(part)).replaceAll('~', '~7E').replaceAll('%', '~').replaceAll('.', '~2E');

function decode(part) {
  try {
    return decodeURIComponent(part.replaceAll('~', '%'));
  } catch {
    return part;
  }
}

/**
 * An address of the console, for links.
 *
 * @param {string} name of the page
 * @param {(string | number)[]} [path]
 * @param {Record<string, any> | URLSearchParams} [query] null, undefined and blank values are left out
 */
export function to(name, path = [], query = {}) {
  const given = new URLSearchParams();
  for (const [key, value] of query instanceof URLSearchParams ? query : Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') given.append(key, String(value));
  }
  const text = given.toString();
  const rest = path.map(part => `/${encode(part)}`).join('');
  return `${HOME}/${name}${rest}${text ? `?${text}` : ''}`;
}

/** Goes to an address of the console. */
export function go(address, how = {}) {
  if (address === location.pathname + location.search) return;
  history[how.replace ? 'replaceState' : 'pushState'](null, '', address);
  place.set(read());
}

/**
 * Changes what the page keeps in its address; null removes. Replaces by default, so that a filter
 * that is typed is no row of steps back.
 */
export function setQuery(change, how = {replace: true}) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(change)) {
    if (value === null || value === undefined || value === '' || value === false) query.delete(key);
    else query.set(key, String(value));
  }
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ''), how);
}

addEventListener('popstate', () => place.set(read()));

// All links are links: whoever wants a new tab has one.
addEventListener('click', event => {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey
      || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin
      || !(link.pathname + '/').startsWith(`${HOME}/`)) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
