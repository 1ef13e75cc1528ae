import {html, render} from './lib/lit-html/lit-html.js';
import {recognize, session} from './core/session.js';
import {prefs} from './core/store.js';
import {showShell} from './shell/shell.js';
import {showSignIn} from './shell/sign-in.js';

const app = document.getElementById('app');

prefs.theme.subscribe(theme => {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  dispatchEvent(new CustomEvent('evento:theme'));
});
prefs.density.subscribe(density => { document.documentElement.dataset.density = density; });

const RETRY_MILLIS = 2_000;
let shown = null;

/** Takes away what stands in index.html for the first paint: lit adds to what is there. */
function begin() {
  app.querySelector('.boot')?.parentElement.remove();
}

async function start() {
  try {
    const who = await recognize();
    if (!who) swap(null);
  } catch (problem) {
    begin();
    render(html`<div class="sign-in"><div class="card"><h1>${problem.status === 503 ? 'This node is not ready' : 'No node answers'}</h1>
      <p>${problem.detail}</p><p class="dim">It is asked again every two seconds.</p></div></div>`, app);
    setTimeout(start, RETRY_MILLIS);
  }
}

/** One of two: the console for whom the node knows, and how to become known. */
function swap(who) {
  const name = who ? `${who.kind} ${who.name}` : 'nobody';
  if (shown?.name === name) return;
  shown?.leave();
  begin();
  render(null, app);
  shown = {name, leave: who ? showShell(app) : showSignIn(app)};
}

session.subscribe(who => {
  if (who || shown) swap(who);
});
start();
