import {html, nothing} from '../../lib/lit-html/lit-html.js';
import {api} from '../../core/api.js';
import {setQuery} from '../../core/router.js';
import {confirm} from '../../parts/dialog.js';
import {action, time} from '../../parts/kind.js';
import {read, write} from '../../parts/exact.js';
import {toast} from '../../parts/toast.js';
import '../../parts/diff.js';

const sentence = text => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** The same JSON in the space that people read, each number as it is. */
const pretty = text => write(read(text), 2);

/** What was edited, and the way back; blank for a letter that nobody edited. */
export function editedNote(it, at, done) {
  if (!it.editedAt) return nothing;
  const takeBack = async () => {
    const said = await confirm({
      title: 'Take the edit back', verb: 'Take back',
      dry: async () => html`<p>${sentence((await api.delete(`${at}/edit`, {dryRun: true})).detail)}</p>`,
      run: reason => api.delete(`${at}/edit`, reason ? {reason} : {}),
    });
    if (said) toast(sentence(said.detail));
    done();
  };
  return html`<section class="stack"><h3>Edited</h3><p>It is tried with an edited payload, not with the event's own. <span class="dim">By ${it.editedBy}, ${time(it.editedAt)}: ${it.editReason}</span></p>
    ${it.payloadText && it.editedText ? html`<ev-diff .texts=${[it.payloadText, it.editedText]}></ev-diff>` : nothing}
    <div class="buttons">${action({label: 'Take the edit back …', icon: 'reset', small: true, needs: 'operate', why: it.retryAt ? 'It is to be tried.' : '', click: takeBack})}</div></section>`;
}

/**
 * The editor of a letter's payload. It keeps what was typed while the panel is drawn anew.
 *
 * @param {string} at where the letter is in the API
 * @param {{consumer: string, redraw: () => void, done: () => void}} how
 */
export function editor(at, how) {
  let text = null;
  const start = it => pretty(it.editedText ?? it.payloadText);
  const parsed = () => {
    try {
      return {shown: pretty(text)};
    } catch (broken) {
      return {broken: broken.message};
    }
  };
  const leave = () => {
    text = null;
    setQuery({edit: null});
    how.redraw();
  };
  async function save() {
    // As it was typed: a number that was parsed here would lose digits.
    const body = reason => `{"payload":${text},"reason":${JSON.stringify(reason)}}`;
    const done = await confirm({
      title: 'Try it again with this payload', verb: 'Save and try again', reason: 'required',
      dry: async () => {
        const would = await api.postText(`${at}/edit`, body('dry run'), {dryRun: true});
        return html`<p>${sentence(would.detail)}</p><p class="dim">The event stays as it is: other consumers, and a reset of ${how.consumer}, get what was stored. If the letter fails again, it keeps the edit.</p>`;
      },
      run: async reason => {
        await api.postText(`${at}/edit`, body(reason));
        return api.post(`${at}/retry`, {reason});
      },
    });
    if (!done) return;
    toast(sentence(done.detail));
    leave();
    how.done();
  }
  return it => {
    text ??= start(it);
    const {shown, broken} = parsed();
    const typed = event => {
      text = event.target.value;
      how.redraw();
    };
    return html`<section class="stack letter-edit"><h3>Edit its payload</h3>
      <label class="field"><span>Payload, JSON</span><textarea class="mono" rows=${Math.min(24, Math.max(6, text.split('\n').length + 1))} spellcheck="false" aria-invalid=${String(Boolean(broken))} .value=${text} @input=${typed}></textarea>${
      broken ? html`<span class="field-error" role="alert">${broken}</span>` : nothing}</label>
      ${broken ? nothing : html`<ev-diff .texts=${[it.payloadText, text]}></ev-diff>`}
      <div class="buttons">${action({label: 'Save and try again …', icon: 'retry', tone: 'primary', needs: 'operate', why: broken ? 'It is no JSON yet.' : it.retryAt ? 'It is to be tried; edit it when it has failed again.' : shown === pretty(it.payloadText) ? 'Nothing is changed yet.' : '', click: save})}
        ${action({label: 'Leave it', click: leave})}</div></section>`;
  };
}
