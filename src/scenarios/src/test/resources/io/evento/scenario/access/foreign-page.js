// All that a page of another site may have its visitor's browser do to a node. Each way returns what
// it got hold of: a string, empty for nothing.
(target) => {
  const api = target + '/evento/api';
  const withBody = [
    [api + '/consumers/accounts/1/pause', ''],
    [api + '/consumers/accounts/1/reset', '{"position":0,"effects":true,"reason":"x"}'],
    [api + '/consumers/accounts/1/dead-letters/drop', '{"reason":"x"}'],
    [api + '/commands/OpenAccount', '{"accountId":"stolen","owner":"Eve"}'],
    [api + '/events',
      '{"context":"bank","aggregate":{"type":"Account","id":"stolen"},"events":[{"type":"Stolen","payload":{}}]}'],
    [api + '/users', '{"name":"eve","roles":["admin"],"password":"a long enough one"}'],
  ];
  const reads = [api + '/events?after=0', api + '/nodes', api + '/tokens', api + '/openapi.json'];
  const unsafe = [['PUT', api + '/settings/live.readers-max', '{"value":1}'],
    ['DELETE', api + '/settings/live.readers-max', ''],
    ['DELETE', api + '/session', '']];
  const wait = 4000;

  const within = (begin) => new Promise((done) => {
    setTimeout(() => done(''), wait);
    begin(done);
  });

  const asked = (url, options) => fetch(url, options).then(
    (answer) => answer.text().then(
      (text) => answer.type === 'opaque' || !answer.ok ? '' : answer.status + ' ' + text),
    () => '');

  const all = async (list, one) => (await Promise.all(list.map(one))).join('');

  const post = (options) => all(withBody, ([url, body]) => asked(url,
    { method: 'POST', credentials: 'include', ...options(body) }));

  const form = (enctype) => all(withBody, ([url, body], index) => within((done) => {
    const name = 'answer' + enctype + index;
    const frame = document.createElement('iframe');
    frame.name = name;
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', enctype, action: url, target: name });
    // As text/plain, a field is its name, an equals sign and its value: here, JSON.
    const field = document.createElement('input');
    field.name = body ? body.slice(0, -2) : 'a';
    field.value = body ? '="' + body.slice(-1) : 'b';
    form.append(field);
    document.body.append(form);
    frame.onload = () => done(textOf(frame));
    form.submit();
  }));

  const textOf = (frame) => {
    try {
      const text = frame.contentDocument.body.innerText;
      // The frame's own empty page, or a refusal that a page of the same name may read.
      return text.includes('"code":"forbidden"') || text.includes('"code":"unauthenticated"') ? '' : text;
    } catch (notOfThisSite) {
      return '';
    }
  };

  const session = (protocols) => within((done) => {
    const socket = new WebSocket(target.replace('http', 'ws') + '/evento/bundle', protocols);
    socket.onopen = () => {
      socket.send('{"t":"hello","bundle":"thief","instance":"00000000-0000-4000-8000-000000000001"}');
      socket.send('{"t":"follow","id":"00000000-0000-4000-8000-000000000002","after":0,"events":10}');
      done('open');
    };
    socket.onerror = () => done('');
  });

  const element = (name, url) => within((done) => {
    const made = document.createElement(name);
    made.onload = () => done(made.naturalWidth ? 'an image' : made.tagName === 'IFRAME' ? textOf(made) : '');
    made.onerror = () => done('');
    if (name === 'link') {
      Object.assign(made, { rel: 'stylesheet', href: url });
    } else {
      made.src = url;
    }
    document.body.append(made);
  });

  const stream = (url) => within((done) => {
    const events = new EventSource(url, { withCredentials: true });
    events.onopen = () => { events.close(); done('open'); };
    events.onerror = () => { events.close(); done(''); };
  });

  const beacon = () => all(withBody, async ([url, body]) => {
    navigator.sendBeacon(url, body);
    navigator.sendBeacon(url, new Blob([body]));
    return '';
  });

  return {
    session: () => session('evento.v1'),
    'session without a protocol': () => session([]),
    'post without a type': () => post((body) => ({ mode: 'no-cors', body: new Blob([body]) })),
    'post of text': () => post((body) => ({ mode: 'no-cors', body })),
    'post of text that wants to be read': () => post((body) => ({ body })),
    'post of a form': () => post((body) => ({ mode: 'no-cors', body: new URLSearchParams([[body, '']]) })),
    'post of JSON': () => post((body) => ({ headers: { 'Content-Type': 'application/json' }, body })),
    'post without a referrer': () => post((body) => ({ mode: 'no-cors', referrerPolicy: 'no-referrer', body })),
    'other methods': () => all(unsafe, ([method, url, body]) => asked(url,
      { method, credentials: 'include', ...(body && { body, headers: { 'Content-Type': 'application/json' } }) })),
    'form of text': () => form('text/plain'),
    'form': () => form('application/x-www-form-urlencoded'),
    'form of parts': () => form('multipart/form-data'),
    beacon,
    read: () => all(reads, (url) => asked(url, { credentials: 'include' })),
    'read without looking': () => all(reads, (url) => asked(url, { credentials: 'include', mode: 'no-cors' })),
    'event stream': () => stream(api + '/events'),
    image: () => all(reads, (url) => element('img', url)),
    script: () => all(reads, (url) => element('script', url)),
    style: () => all(reads, (url) => element('link', url)),
    frame: () => all(reads, (url) => element('iframe', url)),
  };
}
