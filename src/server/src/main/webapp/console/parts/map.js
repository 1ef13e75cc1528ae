import {html, nothing, svg} from '../lib/lit-html/lit-html.js';
import {percent, plural, rate} from '../core/format.js';
import {BOX, columns} from './columns.js';

const CHARS = 20;
const SIGNS = {command: '■', event: '●', query: '▲', bundle: '▣'};
const TAGS = {aggregate: 'Ag', boundary: 'Bo', service: 'Se', projection: 'Pr', projector: 'Pj', saga: 'Sa', observer: 'Ob', invoker: 'In'};
const HEADS = ['Who sends', 'Commands and queries', 'Who handles them', 'Events', 'Who is given those'];

/** What a box is called to somebody who does not see it. */
export const called = box => box.types ? plural(box.types, box.kind) : `${box.kind} ${box.name}`;

/**
 * A picture of boxes and edges in columns. It is one stop of the Tab key; the arrow keys walk: up and down within a
 * column, left and right along edges.
 *
 * @param {object} view as `GET /map` has it
 * @param {{here: string | null, lit: boolean, start: string | null, href: (box: object) => string, enter: (box: object) => void, go: (id: string) => void,
 *   heads?: string[]}} how `here` is the box that has the focus, or had it last;
 *   `lit` shows only what is tied to it; `start` is what the picture is about
 */
export function drawMap(view, how) {
  const laid = columns(view.boxes, view.edges);
  const byId = new Map(view.boxes.map(box => [box.id, box]));
  const here = byId.has(how.here) ? how.here : laid.columns[0]?.ids[0] ?? null;
  const lit = how.lit && byId.has(how.here) ? near(view.edges, how.here) : null;
  const heads = how.heads ?? HEADS;
  return html`<div class="map-scroll" tabindex="-1">
    <div class="map-heads" ?hidden=${heads.length === 0} .style=${`inline-size:${laid.width}px`}>${laid.columns.map(column => html`<span .style=${`inset-inline-start:${column.x}px`}>${heads[column.column] ?? ''}</span>`)}</div>
    <svg class="map ${lit ? 'lit' : ''}" width=${laid.width} height=${laid.height} viewBox="0 0 ${laid.width} ${laid.height}" role="group" aria-label="Map. Arrow keys walk, Enter looks closer"
      @keydown=${event => walk(event, view, laid, byId, here, how)}>
      <g aria-hidden="true">${view.edges.map(edge => line(edge, laid, lit))}</g>
      ${laid.columns.flatMap(column => column.ids).map(id => drawBox(byId.get(id), laid.at.get(id), id === here, !lit || lit.has(id), how))}
    </svg></div>`;
}

function near(edges, id) {
  const ids = new Set([id]);
  for (const edge of edges) {
    if (edge.from === id) ids.add(edge.to);
    if (edge.to === id) ids.add(edge.from);
  }
  return ids;
}

function line(edge, laid, lit) {
  const [from, to] = [laid.at.get(edge.from), laid.at.get(edge.to)];
  if (!from || !to || edge.from === edge.to) return nothing;
  const isLit = !lit || lit.has(edge.from) && lit.has(edge.to);
  const d = path(from, to, laid.height);
  const width = edge.perSecond === undefined ? 1 + Math.min(3, Math.log2(edge.types)) : 1 + Math.min(4, Math.log2(1 + edge.perSecond));
  const how = `${edge.seen === false ? 'unseen' : ''} ${isLit ? 'on' : 'off'}`;
  return svg`<path class="edge ${edge.kind} ${how}" stroke-width=${width} d=${d}>${measuredTitle(edge)}</path>${
    edge.errorShare > 0 ? svg`<path class="failing ${how}" stroke-width=${width + 1} pathLength="100" stroke-dasharray="${Math.max(2, edge.errorShare * 100)} 100" d=${d}></path>` : nothing}`;
}

const measuredTitle = edge => edge.perSecond === undefined ? nothing : svg`<title>${
  edge.seen ? `${rate(edge.perSecond)}${edge.errorShare > 0 ? `, ${percent(edge.errorShare)} failed` : ''}` : 'declared, never seen'}</title>`;

function path(from, to, height) {
  const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
  if (x2 > x1) {
    const bend = Math.min(BOX.gapX * .6, (x2 - x1) / 2);
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  }
  // Back along the bottom lane.
  const lane = height - 4;
  return `M${x1} ${y1}C${x1 + 40} ${y1} ${x1 + 40} ${lane} ${x1 - 10} ${lane}L${x2 + 10} ${lane}C${x2 - 40} ${lane} ${x2 - 40} ${y2} ${x2} ${y2}`;
}

function drawBox(box, at, isHere, isOn, how) {
  const text = box.types ? plural(box.types, box.kind) : box.name;
  const short = text.length > CHARS ? `${text.slice(0, CHARS - 1)}…` : text;
  const kindTag = TAGS[box.kind];
  return svg`<a href=${how.href(box)} tabindex=${isHere ? 0 : -1} class="box ${box.kind} ${box.types ? 'fold' : ''} ${box.id === how.start ? 'start' : ''} ${isOn ? 'on' : 'off'}" data-id=${box.id} aria-label=${called(box)}
      @focus=${() => how.go(box.id)} @pointerenter=${() => how.go(box.id)} @dblclick=${event => { event.preventDefault(); how.enter(box); }}>
    <title>${called(box)}</title>
    <rect x=${at.x} y=${at.y} width=${BOX.width} height=${BOX.height} rx="4"></rect>
    ${kindTag ? svg`<rect class="kind" x=${at.x + 7} y=${at.y + 7} width="24" height="16" rx="3"></rect><text class="kind" x=${at.x + 19} y=${at.y + 19} text-anchor="middle">${kindTag}</text>`
      : svg`<text class="sign" x=${at.x + 12} y=${at.y + 19.5}>${SIGNS[box.kind] ?? '○'}</text>`}
    <text class="name" x=${at.x + (kindTag ? 38 : 30)} y=${at.y + 19.5}>${short}</text></a>`;
}

function walk(event, view, laid, byId, here, how) {
  if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = laid.at.get(here);
  const column = laid.columns[at.column].ids;
  const along = (side, other) => view.edges.filter(edge => edge[side] === here).map(edge => edge[other])
    .filter(id => laid.at.has(id)).sort((a, b) => Math.abs(laid.at.get(a).y - at.y) - Math.abs(laid.at.get(b).y - at.y))[0];
  const beside = by => laid.columns[at.column + by]?.ids.slice().sort((a, b) => Math.abs(laid.at.get(a).y - at.y) - Math.abs(laid.at.get(b).y - at.y))[0];
  const next = {
    ArrowUp: () => column[at.row - 1], ArrowDown: () => column[at.row + 1],
    ArrowRight: () => along('from', 'to') ?? beside(1), ArrowLeft: () => along('to', 'from') ?? beside(-1),
    Home: () => column[0], End: () => column.at(-1),
  }[event.key];
  if (next) {
    event.preventDefault();
    const id = next();
    if (id) event.currentTarget.querySelector(`[data-id="${CSS.escape(id)}"]`)?.focus();
  } else if (event.key === 'Enter') {
    event.preventDefault();
    how.enter(byId.get(here));
  }
}

const STYLE = 'text{font:12px ui-monospace,monospace;fill:#15202b}rect{fill:#fff;stroke:#78869a}.edge{fill:none;stroke:#78869a}.edge.command{stroke:#0b5cad}.edge.event{stroke:#9a4a00}.edge.query{stroke:#0b6b62}'
  + '.edge.unseen{stroke-dasharray:5 4}.failing{fill:none;stroke:#b3202a}'
  + '.command .sign{fill:#0b5cad}.event .sign{fill:#9a4a00}.query .sign{fill:#0b6b62}text.kind{font-size:10px}';

/** The picture as a file that stands by itself. */
export function svgFile(element) {
  const copy = element.cloneNode(true);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.querySelectorAll('a').forEach(link => link.removeAttribute('href'));
  const style = document.createElementNS('http://www.w3.org/2000/svg', 'style');
  style.textContent = STYLE;
  copy.prepend(style);
  return new XMLSerializer().serializeToString(copy);
}

/** The same as text for documents that draw Mermaid. */
export function mermaid(view) {
  const name = new Map(view.boxes.map((box, at) => [box.id, `n${at}`]));
  const lines = view.boxes.map(box => `  ${name.get(box.id)}["${called(box).replaceAll('"', "'")}"]`);
  lines.push(...view.edges.map(edge => `  ${name.get(edge.from)} --> ${name.get(edge.to)}`));
  return `flowchart LR\n${lines.join('\n')}\n`;
}
