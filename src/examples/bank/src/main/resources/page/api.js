/** The bank's own small door. A failure always becomes a Refusal with a code and a sentence. */

export class Refusal extends Error {
  /** @param byRule whether a rule of the bank said no, and nothing is broken */
  constructor(code, sentence, byRule = code === "invalid-request") {
    super(sentence);
    this.code = code;
    this.byRule = byRule;
  }
}

export const get = (path, milliseconds = 4_000) => call(path, {}, milliseconds);

/**
 * Asks for a change. Every click gets an id of its own, which the bank uses as the command's id: sent
 * twice by whatever mishap, the money still moves once.
 */
export const post = (path, body = {}, milliseconds = 15_000) =>
  call(
    path,
    {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify(body),
    },
    milliseconds,
  );

async function call(path, request, milliseconds) {
  let answer;
  let text;
  try {
    answer = await fetch(path, { ...request, signal: AbortSignal.timeout(milliseconds) });
    text = await answer.text();
  } catch (failure) {
    throw failure.name === "TimeoutError"
      ? new Refusal("no-answer", `The bank said nothing for ${milliseconds / 1_000} s.`)
      : new Refusal("unreachable", "The bank's web edge cannot be reached.");
  }
  let json;
  try {
    json = text === "" ? null : JSON.parse(text);
  } catch {
    throw new Refusal(`http-${answer.status}`, "The bank answered with something other than JSON.");
  }
  if (answer.ok) return json;
  throw refusalOf(json ?? {}, answer);
}

/** A rule of the bank has a code of its own, and says the figures that it looked at. */
function refusalOf({ code, detail, rejection }, answer) {
  if (!rejection) return new Refusal(code ?? `http-${answer.status}`, detail ?? answer.statusText);
  const figures = Object.entries(rejection.details ?? {}).map(
    ([name, value]) => `${name} ${value.toLocaleString("en")}`,
  );
  return new Refusal(rejection.code, [rejection.message, ...figures].filter(Boolean).join(", "), true);
}

/**
 * Asks once a second, never twice at a time, and rests while nobody looks. What it asks for is told
 * by a function, as pages and filters change.
 *
 * @param isTold whether it is told just now, so that nobody needs to ask
 * @returns a function that asks at once
 */
export function everySecond(pathOf, show, fail, isTold = () => false) {
  let timer;
  let asking = false;
  let again = false;

  async function ask() {
    clearTimeout(timer);
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    const started = performance.now();
    try {
      if (!document.hidden && !isTold()) {
        const path = pathOf();
        const answer = await get(path);
        // An answer to a question that nobody asks any more would flicker.
        if (path === pathOf()) show(answer);
      }
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure;
      fail(failure);
    } finally {
      asking = false;
      const wait = again ? 0 : Math.max(100, 1_000 - (performance.now() - started));
      again = false;
      timer = setTimeout(ask, wait);
    }
  }

  document.addEventListener("visibilitychange", () => document.hidden || ask());
  ask();
  return ask;
}
