import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {changePassword, session, setUp, signIn} from '../core/session.js';
import {BASE, request} from '../core/api.js';
import {confirm, dialog} from '../parts/dialog.js';
import {toast} from '../parts/toast.js';
import {icon} from '../parts/kind.js';

/** The form itself, the same on its page and over a page whose session is over. */
function form(redraw, done, name = '') {
  const state = {isShown: false, isBusy: false, problem: null, name, mode: 'sign-in', notice: ''};

  async function submit(event) {
    event.preventDefault();
    if (state.isBusy) return;
    const given = new FormData(event.target);
    Object.assign(state, {isBusy: true, problem: null, notice: '', name: given.get('name')});
    redraw();
    try {
      if (state.mode === 'set-up') {
        await setUp(given.get('code').trim(), given.get('name'), given.get('password'));
      }
      await signIn(given.get('name'), given.get('password'));
      done();
    } catch (problem) {
      Object.assign(state, {isBusy: false, problem});
      redraw();
      event.target.elements.password.focus();
      event.target.elements.password.select();
    }
  }

  const turn = mode => () => {
    Object.assign(state, {mode, problem: null});
    redraw();
  };

  return () => html`<form class="stack" @submit=${submit}>
    ${state.mode === 'set-up' ? html`<p class="dim">The code stands in a file that a node wrote at its first start; its log says where.</p>
      <label class="field"><span>Code</span><input name="code" class="mono" required autocomplete="off" spellcheck="false" autofocus></label>` : nothing}
    <label class="field"><span>User</span><input name="name" required autocomplete="username" spellcheck="false" autocapitalize="off"
      .value=${state.name} ?autofocus=${state.mode === 'sign-in' && !name} ?readonly=${Boolean(name)}></label>
    <div class="field"><span id="password-label">Password</span><span class="with-button"><input name="password" type=${state.isShown ? 'text' : 'password'} required
      autocomplete=${state.mode === 'set-up' ? 'new-password' : 'current-password'} aria-labelledby="password-label" aria-invalid=${state.problem ? 'true' : 'false'}
      ?autofocus=${Boolean(name)}><button type="button" class="icon-button" aria-pressed=${state.isShown} aria-label="Show the password" title="Show the password"
      @click=${() => { state.isShown = !state.isShown; redraw(); }}>${icon(state.isShown ? 'hide' : 'show')}</button></span></div>
    ${state.problem ? html`<p class="field-error" role="alert">${sentence(state.problem)}</p>` : nothing}
    <button class="button primary" ?disabled=${state.isBusy}>${state.isBusy ? 'One moment …' : state.mode === 'set-up' ? 'Make the first administrator' : 'Sign in'}</button>
    ${name ? nothing : html`<p>${state.mode === 'set-up'
      ? html`<button type="button" class="button plain small" @click=${turn('sign-in')}>Sign in instead</button>`
      : html`<button type="button" class="button plain small" @click=${turn('set-up')}>Set up a new cluster</button>`}</p>`}
  </form>`;
}

function sentence(problem) {
  const field = problem.errors?.[0];
  const text = field ? `${field.field ? `${field.field.replace('/', '')} ` : ''}${field.message}` : problem.detail;
  return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith('.') ? '' : '.');
}

/**
 * The page of sign-in.
 *
 * @param {HTMLElement} app
 * @returns {() => void} what takes it away
 */
export function showSignIn(app) {
  let health = null;
  let isOver = false;
  let noProvider = '';
  document.title = 'Sign in · Evento';
  const fields = form(draw, () => {});

  /** Whether a provider is set up only the attempt says; what is wrong with it stays on this page. */
  async function byProvider() {
    const to = `${BASE}/session/oidc`;
    const answer = await fetch(to, {redirect: 'manual'}).catch(() => null);
    if (answer?.type === 'opaqueredirect') {
      location.assign(to);
      return;
    }
    noProvider = answer?.status === 404 ? 'No provider is set up here. An administrator does it by evento.oidc.issuer.'
      : 'The provider cannot be asked now. Try again, or sign in with a password.';
    draw();
  }

  function draw() {
    if (isOver) return;
    render(html`<main class="sign-in" id="main" data-ready><div class="card">
        <header><img src="/evento/console/mark.svg" alt="" width="36" height="36"><h1>Sign in to Evento</h1></header>
        ${fields()}
        <div class="stack or"><span>or</span><button type="button" class="button" @click=${byProvider}>${icon('access')}Sign in with your organisation</button>${
          noProvider ? html`<p class="field-error" role="alert">${noProvider}</p>` : nothing}</div>
      </div>
      <p class="foot">${location.host}${health ? html` · <span class="state ${health === 'ready' ? 'ok' : 'warn'}"><span aria-hidden="true">${health === 'ready' ? '●' : '◐'}</span> ${health}</span>` : nothing}</p></main>`, app);
  }

  request('GET', '/health/ready', {quiet: true}).then(() => 'ready', () => 'not ready').then(said => {
    health = said;
    draw();
  });
  draw();
  app.querySelector('[autofocus]')?.focus();
  return () => { isOver = true; };
}

/**
 * Asks the person whose session is over to sign in again, over the page that he sees: nothing that he
 * typed is lost.
 *
 * @returns {Promise<boolean>} false if somebody else wants to
 */
export async function askToSignIn() {
  const who = session.get()?.name ?? '';
  let fields = null;
  const done = await dialog({
    title: 'Your session is over',
    closable: false,
    content(close, redraw) {
      fields ??= form(redraw, () => close(true), who);
      return html`<div class="stack"><p class="dim">Sign in again and go on where you are.</p>${fields()}<p><button type="button" class="button plain small"
        @click=${() => close(false)}>Sign in as somebody else</button></p></div>`;
    },
  });
  return done === true;
}

/** Changes the person's own password, which ends all his sessions, and begins a new one here. */
export async function askForPassword() {
  const given = {password: '', newPassword: ''};
  const field = (name, label, hint, wrong) => html`<label class="field"><span>${label}</span><input type="password" name=${name} autocomplete=${hint} ?autofocus=${name === 'password'} maxlength="200"
    @input=${event => { given[name] = event.target.value; }}>${wrong(`/${name}`)}</label>`;
  const done = await confirm({
    title: 'Change password', verb: 'Change password', reason: false,
    dry: async () => html`<p>All your other sessions end, on all nodes.</p>`,
    extra: (look, wrong) => html`${field('password', 'Present password', 'current-password', wrong)}${field('newPassword', 'New password, 12 to 200 characters', 'new-password', wrong)}`,
    run: () => changePassword(given.password, given.newPassword).then(isIn => ({isIn})),
  });
  if (done?.isIn) toast('Your password was changed.');
  else if (done) toast('Your password was changed, but signing in with it failed. You are asked to sign in again.', {tone: 'warn'});
}
