import {request, useCsrf, whenExpired} from './api.js';
import {store} from './store.js';

/**
 * Who uses the console: null as long as nobody does.
 *
 * @type {ReturnType<typeof store<null | {kind: 'user' | 'developer' | 'bundle', name: string,
 *   roles: string[], scopes: {right: string, context: string, type: string}[], csrf?: string}>>}
 */
export const session = store(null);

/** Whether the session is over and somebody has to sign in, over the page that he sees. */
export const expired = store(false);

let waiting = [];

/** A change of the own password that is under way: it ends the session and begins the next one. */
let changing = null;

/** Asks the node who this browser is; null if nobody it knows. */
export async function recognize() {
  try {
    const {data} = await request('GET', '/session', {quiet: true});
    begin(data);
    return data;
  } catch (problem) {
    if (problem.status === 401) return null;
    throw problem;
  }
}

function begin(known) {
  useCsrf(known.csrf ?? null);
  session.set(known);
  expired.set(false);
  const told = waiting;
  waiting = [];
  for (const one of told) one(true);
}

/** @throws {import('./api.js').Problem} */
export async function signIn(name, password) {
  await request('POST', '/session', {body: {name, password}, quiet: true});
  return recognize();
}

/**
 * Changes the person's own password, which ends all his sessions, and begins a new one here.
 *
 * @returns {Promise<boolean>} whether he has a session again; else the password was changed all the
 *   same, and the next request asks him to sign in with the new one
 * @throws {import('./api.js').Problem} if the password was not changed
 */
export async function changePassword(password, newPassword) {
  const {name} = session.get();
  const changed = request('PUT', '/session/password', {body: {password, newPassword}, quiet: true});
  changing = changed.then(() => signIn(name, newPassword));
  const isIn = changing.then(() => true, () => false);
  try {
    await changed;
    return await isIn;
  } finally {
    changing = null;
  }
}

/** Makes the first administrator, by the code that a node wrote into a file. */
export const setUp = (code, name, password) =>
  request('POST', '/setup', {body: {code, name, password}, quiet: true});

export async function signOut() {
  await request('DELETE', '/session', {quiet: true});
  useCsrf(null);
  session.set(null);
}

/** Gives up the present person, so that another may sign in. */
export function leave() {
  const told = waiting;
  waiting = [];
  for (const one of told) one(false);
  expired.set(false);
  session.set(null);
}

whenExpired(() => changing ? changing.then(() => true, () => false) : new Promise(told => {
  if (!session.get()) {
    told(false);
    return;
  }
  waiting.push(told);
  expired.set(true);
}));
