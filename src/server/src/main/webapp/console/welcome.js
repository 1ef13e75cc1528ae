/** Fills in what the page cannot know: the address by which it was found, and the nodes, for whom may see them. */

const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
document.getElementById('address').textContent = `${scheme}//${location.host}/evento`;

const list = document.getElementById('nodes');

function line(...parts) {
  const item = document.createElement('li');
  for (const [text, kind] of parts) {
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = text;
    item.append(span, ' ');
  }
  return item;
}

const tone = state => state === 'up' ? 'ok' : state === 'gone' ? 'bad' : 'warn';

async function show() {
  const answer = await fetch('/evento/api/nodes', {headers: {Accept: 'application/json'}});
  if (answer.status === 401 || answer.status === 403) {
    list.replaceChildren(line(['This one answers. Sign in at the console to see the others.', 'dim']));
    return;
  }
  if (!answer.ok) return;
  const {nodes} = await answer.json();
  list.replaceChildren(...nodes.map(node => line([node.id, 'mono'], [node.state, tone(node.state)], [node.url ?? '', 'mono dim'], [node.release ?? '', 'dim'])));
}

show().catch(() => {}).finally(() => { document.querySelector('main').dataset.ready = ''; });
