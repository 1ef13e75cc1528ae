import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import * as format from '../core/format.js';
import {frame, prefs} from '../core/store.js';

/**
 * Series over time: `<ev-chart .title=${…} .times=${…} .series=${…}></ev-chart>`.
 *
 * - `title`: with its unit, “Latency, ms”
 * - `times`: seconds since 1970, rising
 * - `series`: `{label, tone, values, dash?}[]`; `tone` is `command`, `event`, `query`, `view`, `ok`, `dim`,
 *   `warn`, `bad` or `accent`; `values` as long as `times`, null is a gap
 * - `stacked`: whether the values stand on each other
 * - `log`: whether the axis of values is logarithmic
 * - `show(value)`: a value as text, by default `format.count`
 * - `sync`: charts with the same name share their crosshair
 * - `annotations`: `{at, label}[]`, lines of what happened; `at` in seconds
 *
 * Dispatches `span` with `{from, to}` in milliseconds when the person has drawn over a part of the time.
 */
class Chart extends HTMLElement {
  #plot = null;
  #shape = '';
  #cursor = null;
  #seen = null;
  #isSeen = true;
  #isTable = false;
  #ends = [];
  #draw = frame(() => this.isConnected && this.#update());

  #title = '';
  #times = [];
  #series = [];
  #annotations = [];
  stacked = false;
  log = false;
  show = format.count;
  sync = '';

  set times(times) { this.#times = times ?? []; this.#draw(); }
  set series(series) { this.#series = series ?? []; this.#draw(); }
  set annotations(annotations) { this.#annotations = annotations ?? []; this.#draw(); }
  set title(title) { this.#title = title; this.#draw(); }
  get title() { return this.#title; }

  connectedCallback() {
    this.#seen = new IntersectionObserver(([entry]) => {
      this.#isSeen = entry.isIntersecting;
      if (this.#isSeen) this.#draw();
    });
    this.#seen.observe(this);
    this.#ends.push(() => this.#seen.disconnect(), prefs.zone.subscribe(() => this.#rebuild()));
    const rebuild = () => this.#rebuild();
    const size = new ResizeObserver(frame(() => this.#plot && this.#resize()));
    size.observe(this);
    addEventListener('evento:theme', rebuild);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', rebuild);
    this.#ends.push(() => size.disconnect(), () => removeEventListener('evento:theme', rebuild), () => dark.removeEventListener('change', rebuild));
    this.#draw();
  }

  disconnectedCallback() {
    this.#ends.forEach(end => end());
    this.#ends = [];
    this.#plot?.destroy();
    this.#plot = null;
    this.#shape = '';
  }

  #rebuild() {
    this.#shape = '';
    this.#draw();
  }

  async #update() {
    if (!this.#isSeen || document.hidden) return;
    this.#frame();
    if (this.#isTable) return;
    const uPlot = await library();
    if (!this.isConnected || this.#isTable) return;
    const shape = JSON.stringify([this.#series.map(one => [one.label, one.tone, one.dash]), this.stacked, this.log, this.sync, document.documentElement.dataset.theme]);
    const data = [this.#times, ...this.#stack()];
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#plot?.destroy();
      this.#plot = new uPlot(this.#options(uPlot), data, this.querySelector('.plot'));
    } else {
      this.#plot.setData(data);
    }
  }

  /** Values as they are drawn: the last series at the bottom of a stack. */
  #stack() {
    if (!this.stacked) return this.#series.map(one => one.values);
    const sums = this.#times.map(() => 0);
    return [...this.#series].reverse().map(one => one.values.map((value, at) => value === null ? null : sums[at] += value)).reverse();
  }

  #frame() {
    render(html`<figure class="chart"><div class="row"><h2 class="chart-title">${this.#title}</h2><span class="space"></span><button type="button" class="icon-button" aria-pressed=${this.#isTable} title="As a table" aria-label="${this.#title} as a table"
        @click=${() => { this.#isTable = !this.#isTable; this.#plot?.destroy(); this.#plot = null; this.#shape = ''; this.#draw(); }}><svg class="icon" aria-hidden="true"><use href="/evento/console/icons.svg#table"></use></svg></button></div>
      ${this.#isTable ? this.#table() : html`<div class="plot" role="img" aria-label=${this.#sentence()}></div>`}
      <figcaption class="legend">${this.#legend()}</figcaption></figure>`, this);
  }

  #legend() {
    const at = this.#cursor ?? this.#times.length - 1;
    const near = this.#cursor === null ? [] : this.#annotations.filter(one => Math.abs(one.at - this.#times[at]) <= this.#step());
    return html`${this.#cursor === null ? nothing : html`<span>${format.clock(this.#times[at] * 1000)}</span>`}${this.#series.map(one =>
      html`<span><i class="tone-${one.tone}"></i>${one.label} <b>${this.show(one.values[at] ?? null)}</b></span>`)}${near.slice(0, 3).map(one => html`<span>⚑ ${one.label}</span>`)}${near.length > 3 ? html`<span>and ${near.length - 3} more</span>` : nothing}`;
  }

  #step() {
    return this.#times.length > 1 ? this.#times[1] - this.#times[0] : 1;
  }

  #sentence() {
    return `${this.#title}. ${this.#series.map(one => {
      const known = one.values.filter(value => value !== null && value !== undefined);
      return known.length === 0 ? `${one.label}: no values` : `${one.label}: last ${this.show(known.at(-1))}, least ${this.show(Math.min(...known))}, largest ${this.show(Math.max(...known))}`;
    }).join('; ')}`;
  }

  #table() {
    const from = Math.max(0, this.#times.length - 30);
    return html`<div class="scroller" tabindex="0" role="region" aria-label=${this.#title}><table class="table"><thead><tr><th scope="col">Time</th>${this.#series.map(one => html`<th scope="col" class="end">${one.label}</th>`)}</tr></thead>
      <tbody>${this.#times.slice(from).map((time, at) => html`<tr><td>${format.clock(time * 1000)}</td>${this.#series.map(one => html`<td class="end">${this.show(one.values[from + at])}</td>`)}</tr>`).reverse()}</tbody></table></div>`;
  }

  #resize() {
    const width = this.querySelector('.plot')?.clientWidth;
    if (width && width !== this.#plot.width) this.#plot.setSize({width, height: 180});
  }

  #options(uPlot) {
    const colour = tone => colourOf(this, tone);
    const font = '12px system-ui, sans-serif';
    const axis = {stroke: colour('text'), font, ticks: {show: false}, grid: {stroke: colour('hair'), width: 1}};
    return {
      width: Math.max(120, this.querySelector('.plot').clientWidth),
      height: 180,
      padding: [8, 4, 0, 0],
      legend: {show: false},
      cursor: {
        points: {show: false},
        y: false,
        drag: {x: true, y: false, setScale: false},
        sync: this.sync ? {key: this.sync} : undefined,
      },
      scales: {
        x: {time: true},
        y: this.log ? {distr: 3} : {range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.08 : 1]},
      },
      axes: [
        {...axis, size: 24, space: 64, values: (_, splits) => splits.map(at => at % 60 === 0 ? format.minute(at * 1000) : format.clock(at * 1000).slice(-8))},
        {...axis, size: 52, space: 40, values: (_, splits) => splits.map(value => value === null ? '' : this.show(value))},
      ],
      // Of a stack each colour fills what is its own.
      bands: this.stacked ? this.#series.slice(1).map((_, at) => ({series: [at + 1, at + 2]})) : [],
      series: [{}, ...this.#series.map(one => ({
        label: one.label,
        stroke: colour(one.tone),
        width: 1.5,
        dash: one.dash,
        points: {show: false},
        fill: this.stacked ? faded(colour(one.tone)) : undefined,
      }))],
      hooks: {
        setCursor: [plot => {
          const at = plot.cursor.idx ?? null;
          if (at === this.#cursor) return;
          this.#cursor = at;
          this.#frame();
        }],
        setSelect: [plot => {
          if (plot.select.width < 4) return;
          const [from, to] = [plot.select.left, plot.select.left + plot.select.width].map(left => Math.round(plot.posToVal(left, 'x') * 1000));
          this.dispatchEvent(new CustomEvent('span', {detail: {from, to}, bubbles: true}));
          plot.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
        }],
        draw: [plot => this.#flags(plot, colour('text'))],
      },
    };
  }

  #flags(plot, stroke) {
    const {ctx, bbox} = plot;
    ctx.save();
    ctx.strokeStyle = stroke;
    ctx.setLineDash([3, 3]);
    const last = this.#times.at(-1);
    for (const {at} of this.#annotations) {
      // What happened within the last step stands at its edge.
      const x = Math.round(plot.valToPos(at > last && at - last <= this.#step() ? last : at, 'x', true)) + 0.5;
      if (x < bbox.left || x > bbox.left + bbox.width + 1) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }
}

/** What css means by a tone now: a canvas cannot ask it. */
function colourOf(near, tone) {
  const probe = document.createElement('span');
  probe.className = `tone-${tone}`;
  near.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

const faded = colour => colour.replace(/^rgb\((.*)\)$/, (_, rgb) => `rgba(${rgb}, 0.24)`);

let loading = null;

function library() {
  loading ??= new Promise((done, failed) => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = '/evento/console/lib/uplot/dist/uPlot.min.css';
    link.onload = () => import('../lib/uplot/dist/uPlot.esm.js').then(module => done(module.default), failed);
    link.onerror = failed;
    document.head.append(link);
  });
  return loading;
}

customElements.define('ev-chart', Chart);
