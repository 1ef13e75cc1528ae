import {html} from '../lib/lit-html/lit-html.js';
import {copy, icon} from '../parts/kind.js';
import {dialog} from '../parts/dialog.js';
import {kept} from '../core/store.js';

/**
 * The source of a test with the test kit: what an aggregate went through, one more command, and what
 * came of it. A store keeps events, not commands, so the person says which command it was; what can be
 * taken from the event stands there already.
 */
export function testSource({type, id, events, at, catalog}) {
  const last = events.at(-1);
  const commands = catalog.payloads.filter(one => one.kind === 'command' && one.component === type);
  const together = events.filter(one => one.commandId === last.commandId);
  const given = events.slice(0, events.length - together.length);
  const place = kept(`test.package.${type}`, '');
  let command = likely(commands, last);
  return dialog({
    title: `Test of ${type} at version ${at}`,
    wide: true,
    content: (close, redraw) => {
      const text = sourceOf({type, id, given, together, command, place: place.get()});
      return html`<div class="stack">
        <div class="row"><label class="field"><span>Package of ${type}</span><input class="mono" .value=${place.get()} placeholder="com.example.bank" spellcheck="false" @input=${event => { place.set(event.target.value.trim()); redraw(); }}></label>
          <label class="field"><span>The command</span><select @change=${event => { command = commands.find(one => one.type === event.target.value); redraw(); }}>${commands.map(one => html`<option value=${one.type} ?selected=${one === command}>${one.type}</option>`)}</select></label></div>
        <p class="dim">The store keeps what was decided, not what was asked: look whether the command is the one it was, and put in what its events do not tell.</p>
        <pre class="code" tabindex="0" aria-label="Source of the test"><code>${text}</code></pre>
        <footer><button type="button" class="button" @click=${() => close()}>Close</button><button type="button" class="button primary" @click=${event => copy(text, event.currentTarget)}>${icon('copy')}<span>Copy</span></button></footer></div>`;
    },
  });
}

/** The command whose fields the event has, and no other as well. */
function likely(commands, event) {
  const score = one => Object.keys(one.schema?.properties ?? {}).filter(name => name !== one.idProperty)
    .reduce((sum, name) => sum + (name in event.payload ? 2 : -1), 0) + (shares(one.type, event.type) ? 1 : 0);
  return [...commands].sort((a, b) => score(b) - score(a))[0];
}

/** Whether two names have a word in common, as Deposit and MoneyDeposited. */
const shares = (one, other) => one.split(/(?=[A-Z])/).some(word => word.length > 3 && other.toLowerCase().includes(word.toLowerCase()));

const SAMPLES = {string: '', integer: 0, number: 0, boolean: false, array: [], object: {}};

/** The command's JSON, as far as the event tells it. */
export function commandOf(command, id, payload) {
  const fields = Object.entries(command.schema?.properties ?? {});
  return Object.fromEntries(fields.map(([name, schema]) =>
    [name, name === command.idProperty ? id : name in payload ? payload[name] : SAMPLES[schema.type] ?? null]));
}

const java = text => JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
const words = name => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
const stored = event => `new Stored(${java(event.type)}, ${event.payloadVersion ?? 1}, ${java(JSON.stringify(event.payload))})`;
const lines = all => all.map(one => `\n            ${one}`).join(',');

export function sourceOf({type, id, given, together, command, place}) {
  const asked = command ? `new Stored(${java(command.type)}, ${command.version}, ${java(JSON.stringify(commandOf(command, id, together[0].payload)))})` : null;
  return `${place ? `package ${place};\n\n` : ''}import io.evento.testkit.AggregateFixture;
import io.evento.testkit.Stored;
import org.junit.jupiter.api.Test;

class ${type}FromTheStoreTest {
  @Test
  void ${words(command?.type ?? 'Command')}_leads_to_${words(together[0].type)}() {
    AggregateFixture.of(${type}.class)
        .given(${lines(given.map(stored))})
        .when(${asked ?? 'null'})
        .thenEvents(${lines(together.map(stored))});
  }
}
`;
}
