import {html, nothing, svg} from '../lib/lit-html/lit-html.js';
import {api, isAborted} from '../core/api.js';
import * as format from '../core/format.js';
import * as keys from '../core/keys.js';
import {go, setQuery, to} from '../core/router.js';
import {empty, failure, icon, payload, shape, tag} from '../parts/kind.js';
import {searchBox} from '../parts/facets.js';
import {layers} from '../parts/columns.js';
import {drawMap, mermaid, svgFile} from '../parts/map.js';
import '../parts/table.js';

const MATRIX_FROM = 61;
const TYPES = ['command', 'event', 'query'];
const MEASURE_MILLIS = 15_000;

const MEASURED = [
  {key: 'perSecond', title: 'Rate', end: true, sort: edge => edge.perSecond ?? -1, cell: edge => edge.perSecond === undefined ? html`<span class="dim" title="It cannot be told of this edge alone">–</span>`
    : edge.seen ? format.rate(edge.perSecond) : html`<span class="dim">never seen</span>`},
  {key: 'errorShare', title: 'Failed', end: true, narrow: false, sort: edge => edge.errorShare ?? -1, cell: edge => edge.errorShare > 0 ? html`<span class="bad">${format.percent(edge.errorShare)}</span>` : '–'},
];

/**
 * What sends what to whom, in three levels: all bundles, one bundle (`?bundle=`), and what is around a component or
 * type (`?kind=&name=`). A bundle that is alone is opened at once.
 */
export const show = async context => {
  let view = null;
  let asked = '';
  let here = null;
  let lit = false;
  let only = null;
  let finds = null;
  let timer = 0;
  let next = 0;
  let centred = null;

  const level = () => ({bundle: context.query.get('bundle'), kind: context.query.get('kind'), name: context.query.get('name'), steps: context.query.get('steps'), edges: context.query.get('edges')});
  const isMeasured = () => context.query.get('edges') !== 'declared';

  async function load() {
    const now = level();
    asked = JSON.stringify(now);
    const mine = asked;
    const measured = isMeasured() ? {measured: true} : {};
    let got = await api.get('/map', {...measured, ...now.kind ? {kind: now.kind, name: now.name, steps: now.steps} : {bundle: now.bundle}}, context.signal);
    if (got.level === 'bundles' && got.boxes.length === 1 && !context.query.has('all')) {
      only = got.boxes[0].name;
      got = await api.get('/map', {...measured, bundle: only}, context.signal);
    } else if (got.level === 'bundles') {
      only = null;
      got = {...got, boxes: layers(got.boxes, got.edges)};
    }
    if (mine !== asked) return;
    view = got;
    const centre = JSON.stringify([now.bundle, now.kind, now.name]);
    if (centre !== centred) {
      here = now.kind ? `${now.kind}/${now.name}` : null;
      lit = false;
      finds = null;
    }
    centred = centre;
    draw();
    clearTimeout(next);
    if (isMeasured()) next = setTimeout(turn, MEASURE_MILLIS);
  }

  function turn() {
    if (document.hidden) next = setTimeout(turn, 1_000);
    else load().catch(problem => isAborted(problem) || (next = setTimeout(turn, MEASURE_MILLIS)));
  }

  const isTable = () => context.query.get('view') === 'table' || innerWidth < 720 && context.query.get('view') !== 'map';

  function draw() {
    if (!view) return;
    const now = level();
    const bundle = now.bundle ?? (now.kind ? null : only);
    context.render(html`<div class="stack">
      <div class="toolbar map-bar">
        <nav class="crumbs" aria-label="Level"><a href=${to('map', [], {all: 1, view: context.query.get('view'), edges: context.query.get('edges')})} aria-current=${view.level === 'bundles' ? 'true' : nothing}>All bundles</a>${
          bundle ? html`<span aria-hidden="true">›</span><a href=${to('map', [], {bundle, view: context.query.get('view'), edges: context.query.get('edges')})} aria-current="true">${bundle}</a>` : nothing}${
          now.kind ? html`<span aria-hidden="true">›</span>${around()}<span aria-current="true">${TYPES.includes(now.kind) ? payload(now.kind, now.name) : html`${tag(now.kind)} ${now.name}`}</span>` : nothing}</nav>
        <span class="space"></span>
        ${view.level === 'focus' ? html`<div class="segments" role="group" aria-label="How far">${[1, 2].map(steps => html`<button type="button" aria-pressed=${String((Number(now.steps) || 1) === steps)} @click=${() => setQuery({steps: steps === 1 ? null : steps})}>${format.plural(steps, 'step')}</button>`)}</div>` : nothing}
        <div class="segments" role="group" aria-label="Edges"><button type="button" aria-pressed=${String(isMeasured())} @click=${() => setQuery({edges: null})}>Measured</button><button type="button" aria-pressed=${String(!isMeasured())} @click=${() => setQuery({edges: 'declared'})}>Declared</button></div>
        <div class="segments" role="group" aria-label="Shown as"><button type="button" aria-pressed=${String(!isTable())} @click=${() => setQuery({view: innerWidth < 720 ? 'map' : null})}>Map</button><button type="button" aria-pressed=${String(isTable())} @click=${() => setQuery({view: 'table'})}>Table</button></div>
        <div class="map-find">${searchBox('Find a type or a component', 'Find on the map', '', find)}${found()}</div>
        ${isTable() ? nothing : html`<button type="button" class="icon-button" title="Save as SVG" aria-label="Save as SVG" @click=${saveSvg}>${icon('export')}</button><button type="button" class="icon-button" title="Save as Mermaid text" aria-label="Save as Mermaid text" @click=${() => save(mermaid(view), 'map.mmd', 'text/plain')}>${icon('code')}</button>`}
      </div>
      ${view.left ? html`<p class="notice warn">${format.plural(view.left, view.level === 'bundles' ? 'bundle' : 'component')} had no room. Look closer at one to see what is around it.</p>` : nothing}
      ${view.boxes.length === 0 ? empty('Nothing to draw yet', 'A bundle that connects declares its components and types; they are drawn here.')
        : isTable() ? table() : view.level === 'bundles' && view.boxes.length >= MATRIX_FROM ? matrix(view) : picture()}
      <p class="dim map-legend">${shape('command')}command ${shape('query')}query ${shape('event')}event. What bundles declare; who sends commands is not declared.${isMeasured() ? html` Width: how often in the last 15 minutes; <span class="bad">red</span>: the share that failed; dashed: declared, and not seen as far back as telemetry is kept.` : nothing}</p>
    </div>`);
  }

  function around() {
    const box = view.boxes.find(one => one.id === `${level().kind}/${level().name}`);
    return box?.bundle ? html`<a href=${to('map', [], {bundle: box.bundle, view: context.query.get('view'), edges: context.query.get('edges')})}>${box.bundle}</a><span aria-hidden="true">›</span>` : nothing;
  }

  const picture = () => html`<div class="card flush map-card">${drawMap(view, {
    here, lit, start: level().kind ? `${level().kind}/${level().name}` : null, href: box => hrefOf(box), enter: box => go(enterOf(box)),
    heads: view.level === 'bundles' ? [] : undefined,
    go(id) {
      if (here === id && lit) return;
      here = id;
      lit = true;
      draw();
    },
  })}</div>`;

  /** A click opens what it is beside the map. */
  function hrefOf(box) {
    if (box.kind === 'bundle') return to('map', [], {bundle: box.name, edges: context.query.get('edges')});
    if (box.types) return to('payloads', [], {component: box.name, kind: box.kind});
    return to('map', [box.kind, box.name], context.query);
  }

  /** Enter and a double click look closer. */
  function enterOf(box) {
    if (box.kind === 'bundle' || box.types) return hrefOf(box);
    return to('map', [], {kind: box.kind, name: box.name, view: context.query.get('view'), edges: context.query.get('edges')});
  }

  function table() {
    const byId = new Map(view.boxes.map(box => [box.id, box]));
    const end = box => box.types ? html`${format.plural(box.types, box.kind)} <span class="dim">of ${box.name}</span>` : TYPES.includes(box.kind) ? payload(box.kind, box.name, enterOf(box))
      : box.kind === 'bundle' ? html`<a href=${enterOf(box)}>${box.name}</a>` : html`${tag(box.kind)} <a href=${enterOf(box)}>${box.name}</a>`;
    return html`<div class="card flush"><ev-table .name=${'map'} .label=${'Edges of the map'} .rows=${view.edges} .key=${edge => `${edge.from} ${edge.to} ${edge.kind}`} .columns=${[
      {key: 'from', title: 'From', cell: edge => end(byId.get(edge.from)), sort: edge => byId.get(edge.from).name},
      {key: 'to', title: 'To', cell: edge => end(byId.get(edge.to)), sort: edge => byId.get(edge.to).name},
      {key: 'kind', title: 'Carries', cell: edge => edge.types === 1 ? edge.kind : format.plural(edge.types, edge.kind), narrow: false},
      {key: 'types', title: 'Types', end: true, cell: edge => edge.types, sort: edge => edge.types, narrow: false},
      ...isMeasured() ? MEASURED : [],
    ]} .empty=${empty('There are no edges', 'Nothing here emits an event that another is given.')}></ev-table></div>`;
  }

  function find(event) {
    const text = event.target.value.trim();
    clearTimeout(timer);
    if (!text) {
      finds = null;
      draw();
      return;
    }
    timer = setTimeout(async () => {
      try {
        const [types, components] = await Promise.all([api.get('/payloads', {q: text, limit: 8}, context.signal), api.get('/components', {q: text, limit: 6}, context.signal)]);
        finds = [...components.items.map(one => ({kind: one.kind, name: one.name})), ...types.items.map(one => ({kind: one.kind, name: one.type}))];
        draw();
      } catch (problem) {
        if (!isAborted(problem)) throw problem;
      }
    }, 120);
  }

  const found = () => finds === null ? nothing : html`<ul class="popover map-finds">${finds.length === 0 ? html`<li class="dim">Nothing is called so.</li>` : finds.map(one => html`<li><a class="menu-item" href=${to('map', [], {kind: one.kind, name: one.name})} @click=${() => { finds = null; const box = context.host.querySelector('.map-find input'); if (box) box.value = ''; }}>${
    TYPES.includes(one.kind) ? payload(one.kind, one.name) : html`${tag(one.kind)} ${one.name}`}</a></li>`)}</ul>`;

  const saveSvg = () => save(svgFile(context.host.querySelector('svg.map, svg.matrix')), 'map.svg', 'image/svg+xml');

  context.onQuery(() => {
    if (JSON.stringify(level()) !== asked || context.query.has('all') && only) {
      load().catch(problem => isAborted(problem) || context.render(failure(problem, load)));
    } else draw();
  });
  const offs = [
    keys.on('l', 'Map or table', () => setQuery({view: isTable() ? innerWidth < 720 ? 'map' : null : 'table'})),
    keys.on('f', 'Find on the map', () => context.host.querySelector('input[type=search]')?.focus()),
  ];
  addEventListener('resize', draw);
  await load();
  return () => {
    offs.forEach(off => off());
    clearTimeout(timer);
    clearTimeout(next);
    removeEventListener('resize', draw);
  };
};

/** The page of a type or a component, beside the map. */
export const detail = async context => {
  const module = TYPES.includes(context.path[0]) ? await import('./payloads.js') : await import('./components.js');
  return module.detail(context);
};

/** Many bundles: who emits in rows, who is given it in columns. */
function matrix(view) {
  const cell = 16;
  const tied = new Set(view.edges.flatMap(edge => [edge.from, edge.to]));
  const boxes = view.boxes.filter(box => tied.has(box.id)).sort((a, b) => a.name.localeCompare(b.name));
  if (boxes.length === 0) return empty('No bundle gives another anything', 'None is given an event that another emits. Choose one in the search above.');
  const at = new Map(boxes.map((box, index) => [box.id, index]));
  const cut = name => name.length > 21 ? `${name.slice(0, 20)}…` : name;
  const left = 20 + 7.5 * Math.max(...boxes.map(box => cut(box.name).length));
  const size = left + boxes.length * cell + 12;
  const most = Math.max(...view.edges.map(edge => edge.types));
  return html`<div class="card flush"><div class="map-scroll scroller" tabindex="0" role="region" aria-label="Who emits, in rows; who is given it, in columns. The table says the same"><svg class="matrix" width=${size} height=${size} viewBox="0 0 ${size} ${size}" aria-hidden="true">${
    boxes.map((box, index) => matrixNames(box.name, cut(box.name), left, index * cell, cell, size))}${view.edges.map(edge => matrixCell(edge, at, left, cell, most))}</svg></div></div>`;
}

function save(text, name, type) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const matrixNames = (name, short, left, at, cell, size) => svg`<a href=${to('map', [], {bundle: name})} tabindex="-1"><text x=${left - 6} y=${left + at + 12} text-anchor="end">${short}</text></a><a href=${to('map', [], {bundle: name})} tabindex="-1"><text transform="translate(${left + at + 12} ${left - 6}) rotate(-90)">${short}</text></a><path class="grid" d="M${left} ${left + at + cell}H${size - 12}M${left + at + cell} ${left}V${size - 12}"></path>`;

const matrixCell = (edge, at, left, cell, most) => svg`<rect x=${left + at.get(edge.to) * cell + 1} y=${left + at.get(edge.from) * cell + 1} width=${cell - 2} height=${cell - 2} rx="2" fill-opacity=${(.25 + .75 * edge.types / most).toFixed(2)}><title>${edge.from.slice(7)} to ${edge.to.slice(7)}: ${edge.types}</title></rect>`;
