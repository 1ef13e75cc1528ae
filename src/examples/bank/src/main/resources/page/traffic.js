import { everySecond, post } from "./api.js";
import { byId, grouped, setText, setTone } from "./dom.js";

const SECONDS = 60;
const KINDS = ["acknowledged", "rejected", "failed"];

/** The slider, the counts since the bank started, and a bar for each of the last 60 answers. */
export function startTraffic() {
  const rate = byId("rate");
  const note = byId("traffic-note");
  const bars = chart();
  let before;
  let dragging = false;
  let wanted;

  rate.addEventListener("input", () => {
    dragging = true;
    setText(byId("rate-shown"), rate.value);
  });
  rate.addEventListener("change", async () => {
    wanted = Number(rate.value);
    try {
      await post("/api/traffic", { rate: wanted });
    } catch (refusal) {
      complain(refusal);
    }
    dragging = false;
    wanted = undefined;
    ask();
  });

  const ask = everySecond(
    () => "/api/traffic",
    (now) => {
      // Somebody may be moving the slider, here or in another window.
      if (!dragging && wanted === undefined) {
        rate.value = now.rate;
        setText(byId("rate-shown"), String(now.rate));
      }
      KINDS.forEach((kind) => setText(byId(kind), grouped(now[kind])));
      setText(byId("under-way"), grouped(now.underWay));
      setText(byId("p50"), milliseconds(now.p50Millis));
      setText(byId("p99"), milliseconds(now.p99Millis));
      setTone(note, now.trouble ? "bad" : "muted");
      setText(note, now.trouble ?? (now.rate ? `${now.accounts} accounts, at most ${now.underWayMax} at once.` : "At rest."));
      const at = performance.now();
      if (before) {
        // A bank that was started again counts from 0, and a page nobody looked at asked long ago.
        const seconds = (at - before.at) / 1_000;
        bars.add(KINDS.map((kind) => Math.max(0, now[kind] - before[kind]) / seconds));
      }
      before = { ...now, at };
    },
    complain,
  );

  function complain(refusal) {
    setTone(note, "bad");
    setText(note, `Not told just now (${refusal.code}): ${refusal.message}`);
  }
}

const milliseconds = (value) =>
  value == null ? "–" : `${value < 10 ? value.toFixed(1) : grouped(Math.round(value))} ms`;

function chart() {
  const svg = byId("history");
  const { width, height } = svg.viewBox.baseVal;
  const step = width / SECONDS;
  const columns = Array.from({ length: SECONDS }, (_, column) =>
    KINDS.map((kind) => {
      const bar = document.createElementNS(svg.namespaceURI, "rect");
      bar.setAttribute("class", kind);
      bar.setAttribute("x", column * step + 0.4);
      bar.setAttribute("width", step - 0.8);
      svg.append(bar);
      return bar;
    }),
  );
  const seconds = Array.from({ length: SECONDS }, () => [0, 0, 0]);

  return {
    add(counts) {
      seconds.shift();
      seconds.push(counts);
      const highest = Math.max(10, ...seconds.map((second) => second[0] + second[1] + second[2]));
      seconds.forEach((second, column) => {
        let top = height;
        second.forEach((count, kind) => {
          const size = (count / highest) * (height - 4);
          top -= size;
          columns[column][kind].setAttribute("y", top);
          columns[column][kind].setAttribute("height", size);
        });
      });
      const [acknowledged, rejected, failed] = counts.map(Math.round);
      svg.setAttribute(
        "aria-label",
        `Answers a second over the last minute; just now ${acknowledged} acknowledged, ${rejected} rejected, ${failed} failed`,
      );
    },
  };
}
