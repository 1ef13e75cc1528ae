import {html, nothing, render} from '../lib/lit-html/lit-html.js';
import {icon} from './kind.js';

const DEPTH_MAX = 6;
const RADIOS_MAX = 5;

/**
 * Fields made of a JSON Schema, as the catalog has them: `<ev-form .schema=${…} .value=${…}
 * @change=${event => event.target.value}></ev-form>`.
 *
 * - `schema`: objects, arrays, text, numbers, integers, booleans, `enum`, `const`, `format`, `$ref` into
 *   `$defs`, `oneOf` and `anyOf`; what it does not know it takes as JSON text
 * - `value`: what the fields say; set it to fill them
 * - `errors`: `{field, message}[]` of a problem, by JSON pointer; each stands at its field
 */
class Form extends HTMLElement {
  #schema = {};
  #value = undefined;
  #errors = new Map();
  #raw = new Map();

  set schema(schema) {
    this.#schema = schema ?? {};
    this.#draw();
  }

  set value(value) {
    if (value === this.#value && this.isConnected) return;
    this.#value = value;
    this.#raw.clear();
    this.#draw();
  }

  get value() {
    return this.#value;
  }

  set errors(errors) {
    this.#errors = new Map((errors ?? []).map(one => [one.field ?? '', one.message]));
    this.#draw();
  }

  connectedCallback() {
    if (this.#value === undefined) this.#value = blank(this.#resolve(this.#schema), this.#schema);
    this.#draw();
  }

  #resolve(schema) {
    let now = schema ?? {};
    for (let hops = 0; now.$ref && hops < 8; hops++) {
      const found = now.$ref.startsWith('#/') ? now.$ref.slice(2).split('/').reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], this.#schema) : null;
      if (!found) break;
      now = {...found, ...Object.fromEntries(Object.entries(now).filter(([key]) => key !== '$ref'))};
    }
    return now;
  }

  #change(pointer, value) {
    this.#value = put(this.#value, pointer.split('/').slice(1), value);
    this.#draw();
    this.dispatchEvent(new Event('change', {bubbles: true}));
  }

  #draw() {
    if (!this.isConnected) return;
    render(html`<div class="stack">${this.#field(this.#schema, this.#value, '', null, true, 0)}</div>`, this);
  }

  #field(given, value, pointer, name, isRequired, depth) {
    const schema = this.#resolve(given);
    const label = schema.title ?? name;
    const says = html`${label}${isRequired || name === null ? nothing : html` <span class="help">optional</span>`}`;
    const help = schema.description ? html`<span class="help">${schema.description}</span>` : nothing;
    const error = this.#errors.get(pointer);
    const wrong = error ? html`<span class="field-error" role="alert">${error}</span>` : nothing;
    const set = next => this.#change(pointer, next);
    const type = Array.isArray(schema.type) ? schema.type.find(one => one !== 'null') : schema.type;
    const choices = schema.oneOf ?? schema.anyOf;

    if (schema.const !== undefined) return html`<p class="field"><span>${label}</span><span class="mono">${JSON.stringify(schema.const)}</span></p>`;
    if (schema.enum) return this.#choice(schema.enum, value, says, help, wrong, isRequired, set, pointer);
    if (choices && depth < DEPTH_MAX) return this.#oneOf(choices, value, pointer, says, name, depth, set);
    if (type === 'boolean') return html`<label class="check"><input type="checkbox" .checked=${value === true} @change=${event => set(event.target.checked)}><span>${label}</span> ${help}${wrong}</label>`;
    if (type === 'object' && schema.properties && depth < DEPTH_MAX) return this.#object(schema, value, pointer, label, help, wrong, depth);
    if (type === 'array' && depth < DEPTH_MAX) return this.#array(schema, value, pointer, label, help, wrong, depth, set);
    if (type === 'integer' || type === 'number') {
      return html`<label class="field"><span>${says}</span><input type="number" step=${type === 'integer' ? 1 : 'any'} min=${schema.minimum ?? nothing} max=${schema.maximum ?? nothing} .value=${value ?? ''}
        aria-invalid=${error ? 'true' : 'false'} @input=${event => set(event.target.value === '' ? undefined : Number(event.target.value))}>${help}${wrong}</label>`;
    }
    if (type === 'string') {
      const kind = {date: 'date', 'date-time': 'text', email: 'email', uri: 'url'}[schema.format] ?? 'text';
      return html`<label class="field"><span>${says}</span><input type=${kind} .value=${value ?? ''} maxlength=${schema.maxLength ?? nothing} pattern=${schema.pattern ?? nothing} placeholder=${schema.format ?? nothing} spellcheck="false"
        aria-invalid=${error ? 'true' : 'false'} @input=${event => set(event.target.value === '' && !isRequired ? undefined : event.target.value)}>${help}${wrong}</label>`;
    }
    return this.#json(value, pointer, says, help, wrong, set);
  }

  #choice(values, value, says, help, wrong, isRequired, set, pointer) {
    if (values.length <= RADIOS_MAX) {
      return html`<fieldset class="field"><legend class="label">${says}</legend><div class="row">${values.map(one => html`<label class="check"><input type="radio" name="field${pointer}" .checked=${value === one}
        @change=${() => set(one)}>${String(one)}</label>`)}</div>${help}${wrong}</fieldset>`;
    }
    return html`<label class="field"><span>${says}</span><select @change=${event => set(values[event.target.selectedIndex - 1])}><option .selected=${value === undefined}>${isRequired ? 'Choose one' : '–'}</option>${
      values.map(one => html`<option .selected=${value === one}>${String(one)}</option>`)}</select>${help}${wrong}</label>`;
  }

  #oneOf(choices, value, pointer, says, name, depth, set) {
    const known = choices.map(one => this.#resolve(one));
    const at = Math.max(0, known.findIndex(one => fits(one, value)));
    return html`<fieldset class="card stack"><legend class="label">${says}</legend><label class="field"><span>Which</span><select @change=${event => set(blank(known[event.target.selectedIndex], this.#schema))}>${
      known.map((one, index) => html`<option .selected=${index === at}>${one.title ?? one.type ?? `Form ${index + 1}`}</option>`)}</select></label>${this.#field(known[at], value, pointer, name, true, depth + 1)}</fieldset>`;
  }

  #object(schema, value, pointer, label, help, wrong, depth) {
    const required = new Set(schema.required ?? []);
    const fields = Object.entries(schema.properties).map(([key, one]) => this.#field(one, value?.[key], `${pointer}/${key}`, key, required.has(key), depth + 1));
    return depth === 0 ? html`${help}${wrong}${fields}` : html`<fieldset class="card stack"><legend class="label">${label}</legend>${help}${wrong}${fields}</fieldset>`;
  }

  #array(schema, value, pointer, label, help, wrong, depth, set) {
    const items = Array.isArray(value) ? value : [];
    const swap = (a, b) => set(items.map((one, at) => at === a ? items[b] : at === b ? items[a] : one));
    return html`<fieldset class="card stack"><legend class="label">${label}</legend>${help}${wrong}${items.map((one, at) => html`<div class="row">
      <div class="grow">${this.#field(schema.items ?? {}, one, `${pointer}/${at}`, `${at + 1}`, true, depth + 1)}</div>
      <button type="button" class="icon-button" aria-label="Move ${at + 1} up" ?disabled=${at === 0} @click=${() => swap(at, at - 1)}>${icon('up')}</button>
      <button type="button" class="icon-button" aria-label="Remove ${at + 1}" @click=${() => set(items.filter((_, other) => other !== at))}>${icon('minus')}</button></div>`)}
      <div><button type="button" class="button small" @click=${() => set([...items, blank(this.#resolve(schema.items ?? {}), this.#schema)])}>${icon('plus')}Add</button></div></fieldset>`;
  }

  #json(value, pointer, says, help, wrong, set) {
    const text = this.#raw.get(pointer) ?? (value === undefined ? '' : JSON.stringify(value, null, 2));
    return html`<label class="field"><span>${says} <span class="help">JSON</span></span><textarea class="mono" rows="3" spellcheck="false" .value=${text} @input=${event => {
      this.#raw.set(pointer, event.target.value);
      try {
        set(event.target.value.trim() === '' ? undefined : JSON.parse(event.target.value));
        event.target.removeAttribute('aria-invalid');
      } catch {
        event.target.setAttribute('aria-invalid', 'true');
      }
    }}></textarea>${help}${wrong}</label>`;
  }
}

function put(value, path, next) {
  if (path.length === 0) return next;
  const [key, ...rest] = path;
  if (Array.isArray(value)) return value.map((one, at) => String(at) === key ? put(one, rest, next) : one);
  const copy = {...(value ?? {})};
  const inner = put(copy[key], rest, next);
  if (inner === undefined) delete copy[key];
  else copy[key] = inner;
  return copy;
}

function fits(schema, value) {
  if (value === undefined || value === null) return false;
  if (schema.properties) {
    return typeof value === 'object' && (schema.required ?? []).every(key => key in value)
      && Object.entries(schema.properties).every(([key, one]) => one.const === undefined || value[key] === one.const);
  }
  const type = Array.isArray(value) ? 'array' : typeof value;
  return schema.type === type || schema.type === 'integer' && type === 'number';
}

/** What the fields of a schema begin with. */
export function blank(schema, root = schema, depth = 0) {
  if (!schema || depth > DEPTH_MAX) return undefined;
  if (schema.$ref?.startsWith('#/')) {
    return blank(schema.$ref.slice(2).split('/').reduce((at, key) => at?.[key], root), root, depth + 1);
  }
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'object') {
    const required = new Set(schema.required ?? []);
    return Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([key]) => required.has(key))
      .map(([key, one]) => [key, blank(one, root, depth + 1)]).filter(([, value]) => value !== undefined));
  }
  if (type === 'array') return [];
  if (type === 'string') return '';
  if (type === 'boolean') return false;
  if (type === 'integer' || type === 'number') return schema.minimum ?? 0;
  return undefined;
}

customElements.define('ev-form', Form);
