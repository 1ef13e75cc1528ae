import { everySecond, post } from "./api.js";
import { byId, follow, make, setText, setTone } from "./dom.js";

/** What a process can be, how it is shown, and what may be done to it then. */
const STATES = {
  ready: { tone: "good", label: "ready", actions: ["kill", "pause"] },
  "not-ready": { tone: "warn", label: "not ready", actions: ["kill", "pause"] },
  silent: { tone: "cold", label: "no answer", actions: ["kill", "pause", "resume"] },
  down: { tone: "bad", label: "down", actions: ["start"] },
};

const ACTIONS = [
  { name: "kill", label: "Kill", done: "killed" },
  { name: "start", label: "Start", done: "told to start" },
  { name: "pause", label: "Freeze", done: "frozen" },
  { name: "resume", label: "Thaw", done: "thawed" },
];

/** @param tell shows a line in the list of what happened */
export function startCluster(tell) {
  const note = byId("cluster-note");
  let controllable = false;

  const ask = everySecond(
    () => "/api/nodes",
    ({ control, console, members }) => {
      controllable = control;
      const way = byId("console");
      way.hidden = !console;
      if (console) way.href = console;
      const ready = members.filter((member) => member.state === "ready").length;
      const hint = control ? "" : " Buttons need the launcher: mvn -Pcluster.";
      setTone(note, "muted");
      setText(note, `${ready} of ${members.length} ready.${hint}`);
      follow(byId("cluster"), members, (member) => member.id, create, update);
    },
    (refusal) => {
      setTone(note, "bad");
      setText(note, `Not told just now (${refusal.code}): ${refusal.message}`);
    },
  );

  function create({ id }) {
    const buttons = ACTIONS.map(({ name, label, done }) => {
      const look = name === "kill" ? "small danger" : "small";
      const button = make("button", { type: "button", className: look }, label);
      button.dataset.action = name;
      button.setAttribute("aria-label", `${label} ${id}`);
      button.addEventListener("click", async () => {
        // Not the disabled attribute: a button that was just pressed would lose the focus with it.
        if (button.getAttribute("aria-disabled") === "true") return;
        try {
          await post("/api/control", { id, action: name });
          tell("good", `${id} ${done}`);
        } catch (refusal) {
          tell("bad", `${label} ${id}`, refusal);
        }
        ask();
      });
      return button;
    });
    return make(
      "li",
      { className: "member" },
      make("header", {}, make("h3", {}, id), make("span", { className: "chip" })),
      make("p"),
      make("div", { className: "buttons" }, ...buttons),
    );
  }

  function update(element, { state, url, detail }) {
    const { tone, label, actions } = STATES[state] ?? STATES.silent;
    const chip = element.querySelector(".chip");
    setTone(chip, tone);
    setText(chip, label);
    const line = element.querySelector("p");
    setText(line, detail || url.replace(/^http:\/\//, ""));
    line.title = detail ? `${url}: ${detail}` : url;
    element.querySelector(".buttons").hidden = !controllable;
    for (const button of element.querySelectorAll("button")) {
      button.setAttribute("aria-disabled", String(!actions.includes(button.dataset.action)));
    }
  }
}
