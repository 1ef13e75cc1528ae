import {html, nothing} from '../lib/lit-html/lit-html.js';

const DEPTH_MAX = 6;
const ROWS_MAX = 300;

/** What a schema says, its references into itself followed. */
export function resolve(root, schema) {
  let now = schema ?? {};
  for (let hops = 0; now.$ref && hops < 8; hops++) {
    if (!now.$ref.startsWith('#')) return {};
    now = now.$ref.slice(1).split('/').slice(1).reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], root) ?? {};
  }
  return now;
}

/**
 * A JSON Schema as a table of fields that one can read: name, type, what holds for it. What is inside a field stands
 * below it, indented.
 */
export function fields(root) {
  const rows = [];
  collect(root, root, '', 0, new Set(), rows);
  if (rows.length === 0) return html`<p class="dim">It has no fields.</p>`;
  return html`<div class="card flush"><div class="scroller" tabindex="0" role="region" aria-label="Fields"><table class="table fields"><thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Rules</th></tr></thead><tbody>${
    rows.map(row => html`<tr><td class="depth-${row.depth}"><span class="mono">${row.name}</span>${row.personal ? html` <span class="pill warn" title="Encrypted by the key of ${row.personal.subject ?? 'its subject'}">personal</span>` : nothing}</td><td class="dim">${row.type}</td><td class="wrap">${row.rules}${
      row.says ? html`<span class="dim">${row.says}</span>` : nothing}</td></tr>`)}</tbody></table></div></div>`;
}

function collect(root, given, name, depth, seen, rows) {
  const schema = resolve(root, given);
  if (depth > DEPTH_MAX || seen.has(schema) || rows.length >= ROWS_MAX) return;
  const inner = new Set(seen).add(schema);
  const required = new Set(schema.required ?? []);
  for (const [key, one] of Object.entries(schema.properties ?? {})) {
    const known = resolve(root, one);
    rows.push({
      name: key, depth, type: typeOf(root, known), personal: one['x-evento-personal'] ?? known['x-evento-personal'],
      rules: rules(known, required.has(key)), says: known.description ?? '',
    });
    collect(root, known, key, depth + 1, inner, rows);
    if (known.items) collect(root, known.items, key, depth + 1, inner, rows);
    if (typeof known.additionalProperties === 'object') collect(root, known.additionalProperties, key, depth + 1, inner, rows);
  }
}

/** `text`, `list of whole number`, `object` … */
function typeOf(root, schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return 'one of a list';
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map(one => typeOf(root, resolve(root, one))).join(' or ');
  const words = {string: 'text', integer: 'whole number', number: 'number', boolean: 'yes or no', object: 'object', null: 'nothing'};
  const types = [schema.type].flat().filter(Boolean);
  if (types.includes('array')) return `list of ${typeOf(root, resolve(root, schema.items))}`;
  if (schema.format && types.includes('string')) return schema.format;
  if (typeof schema.additionalProperties === 'object') return `map to ${typeOf(root, resolve(root, schema.additionalProperties))}`;
  return types.map(one => words[one] ?? one).join(' or ') || 'anything';
}

function rules(schema, isRequired) {
  const said = [isRequired ? 'required' : ''];
  if (schema.minimum !== undefined) said.push(`at least ${schema.minimum}`);
  if (schema.maximum !== undefined) said.push(`at most ${schema.maximum}`);
  if (schema.minLength !== undefined) said.push(`at least ${schema.minLength} characters`);
  if (schema.maxLength !== undefined) said.push(`at most ${schema.maxLength} characters`);
  if (schema.minItems !== undefined) said.push(`at least ${schema.minItems} items`);
  if (schema.maxItems !== undefined) said.push(`at most ${schema.maxItems} items`);
  if (schema.pattern !== undefined) said.push(`like ${schema.pattern}`);
  if (schema.default !== undefined) said.push(`else ${JSON.stringify(schema.default)}`);
  if (schema.enum) said.push(schema.enum.map(String).join(', '));
  return said.filter(Boolean).join(', ');
}

/** A value that a schema would let pass, made up of its names. */
export function example(root, given = root, name = '', depth = 0, seen = []) {
  const schema = resolve(root, given);
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.enum) return schema.enum[0];
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices?.length) return example(root, choices[0], name, depth + 1, seen);
  const type = [schema.type].flat()[0] ?? (schema.properties ? 'object' : undefined);
  if (depth > DEPTH_MAX || seen.includes(schema)) return type === 'array' ? [] : type === 'object' ? {} : undefined;
  const inner = [...seen, schema];
  if (type === 'object') return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, one]) => [key, example(root, one, key, depth + 1, inner)]));
  if (type === 'array') return [example(root, schema.items ?? {}, name, depth + 1, inner)].filter(one => one !== undefined);
  if (type === 'integer' || type === 'number') return Math.max(schema.minimum ?? -Infinity, Math.min(schema.maximum ?? Infinity, 42));
  if (type === 'boolean') return false;
  if (type === 'string') return text(schema, name);
  return undefined;
}

function text(schema, name) {
  const byFormat = {'date-time': '2026-01-31T12:00:00Z', date: '2026-01-31', time: '12:00:00Z', uuid: '3f0c2a51-0000-4000-8000-000000000001', email: 'ada@example.com', uri: 'https://example.com/'};
  const made = byFormat[schema.format] ?? (/id$/i.test(name) ? `${name.replace(/id$/i, '').toLowerCase() || 'id'}-1` : name.replace(/([A-Z])/g, ' $1').toLowerCase() || 'text');
  return made.slice(0, schema.maxLength ?? 200);
}
