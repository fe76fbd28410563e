// The page one talks on: the circle, the captions, what is pressed. One call at a time.

import { find, isTyping, make, words } from "./dom.js";
import { call } from "./voice-line.js";
import { microphones, milliseconds, openSound } from "./voice-sound.js";

const page = find("#talk");
const [orb, state, trouble, captions, list] = ["#orb", "#state", "#trouble", "#captions", "#lines"].map((one) => find(one));
const [start, without, mute, interrupt, hangUp] = ["#start", "#without", "#mute", "#interrupt", "#hang-up"].map((one) => find(one));
const [write, text, device, transcript] = ["#write", "#text", "#microphone", "#transcript"].map((one) => find(one));

/** Ends that are nobody's fault. */
const PLAIN = ["hung_up", "agent", "staff", "handed_over", "idle", "too_long"];

let line = null;
let sound = null;
let muted = false;
let listens = false;
/** What the agent does, as it said last; and whether its voice is heard. */
let does = "listening";
let sounds = false;
let held = false;
const lines = new Map();
const staff = { watched: false, held: false };

function show() {
  const now = line === null ? "idle" : sounds ? "speaking" : does === "listening" && muted ? "muted" : does;
  if (page.dataset.state === now) return;
  page.dataset.state = now;
  if (now !== "idle") state.textContent = words[`state-${now}`];
  interrupt.disabled = !["speaking", "thinking", "looking"].includes(now);
}

function go(to) { does = to; show(); }

/** How loud it is, for the circle: what is quiet is made visible. */
const breathe = (level) => orb.style.setProperty("--level", Math.min(1, Math.sqrt(level) * 1.6).toFixed(3));

/** The line of an item; a new one at the end. */
function caption(item, who) {
  let entry = lines.get(item);
  if (!entry) {
    const said = make("p");
    entry = { said, row: make("li", { class: who }, make("strong", {}, who === "you" ? words.you : "Troth"), said) };
    lines.set(item, entry);
    list.append(entry.row);
  }
  return entry;
}

function writeDown(item, who, change) {
  const follows = captions.scrollHeight - captions.scrollTop - captions.clientHeight < 60;
  const { said, row } = caption(item, who);
  change(said, row);
  if (follows) captions.scrollTop = captions.scrollHeight;
}

/** Says whether a person reads along, or speaks. */
function attend() {
  const place = find("#staff");
  place.textContent = staff.held ? words.held : staff.watched ? words.watched : "";
  place.hidden = place.textContent === "";
}

function complain(what) { trouble.textContent = what; }

function stages(taken) {
  find("#no-stages").hidden = true;
  find("#stages").hidden = false;
  for (const place of document.querySelectorAll("[data-ms]")) {
    const ms = taken[place.dataset.ms];
    place.textContent = ms == null ? "–" : `${ms} ms`;
    find(`meter[data-stage=${place.dataset.ms}]`).value = ms == null ? 0 : ms / Math.max(taken.total ?? ms, ms, 1);
  }
}

/** Says how much of what was cut off was heard; the rest is taken out of the conversation. */
function heard({ item, frames }) {
  if (item) line?.say("heard", { item, ms: milliseconds(frames) });
}

const voice = {
  piece(buffer, level) {
    if (line === null || muted) return;
    if (!sounds) breathe(level);
    line.sound(buffer);
  },
  played(told) {
    sounds = told.waits > 0 && !held;
    if (sounds) breathe(told.level);
    if (told.dropped) heard(told);
    show();
  },
};

const told = {
  async opened() {
    if (!listens) return;
    try {
      await sound.listen(device.value);
      if (line === null) sound.close();
      await choices();
    } catch {
      listens = false;
      mute.hidden = true;
      complain(words["no-microphone"]);
    }
  },
  ready: ({ chat }) => {
    if (chat) transcript.href = `/chat/${chat}`;
    transcript.dataset.kept = chat ? "yes" : "";
    go("listening");
  },
  hearing: () => { complain(""); go("hearing"); },
  quiet: () => go("listening"),
  you: ({ item, text: what, finished }) => {
    writeDown(item, "you", (said, row) => { said.textContent = what; row.classList.toggle("coming", !finished); });
  },
  not_heard: ({ item }) => writeDown(item, "you", (said) => { said.textContent = words["not-heard"]; }),
  thinking: () => go("thinking"),
  sound: (data) => {
    if (data instanceof ArrayBuffer) sound?.play(data);
    else sound?.mark(data.item);
  },
  agent: ({ item, text: what }) => writeDown(item, "agent", (said) => { said.textContent += what; }),
  hush: () => { held = true; sound?.hold(true); },
  go_on: () => { held = false; sound?.hold(false); },
  done: ({ item, cut }) => {
    held = false;
    if (cut) {
      sound?.drop();
      lines.get(item)?.row.classList.add("cut");
    } else sound?.hold(false);
    if (does !== "hearing") go("listening");
  },
  tool: ({ running }) => go(running ? "looking" : "thinking"),
  latency: ({ stages: taken }) => stages(taken),
  watched: ({ by_staff: is }) => { staff.watched = is; attend(); },
  held: ({ by_staff: is }) => { staff.held = is; attend(); },
  trouble: ({ code }) => complain(words[`trouble-${code}`] ?? words["trouble-other"]),
  ended: ({ code }) => {
    const why = words[`ended-${code}`] ?? words["ended-broken"];
    over();
    if (PLAIN.includes(code)) state.textContent = why;
    else complain(why);
  },
  gone: (opened) => {
    if (line === null) return;
    over();
    complain(words[opened ? "ended-broken" : "not-opened"]);
  },
};

/** What can be pressed while there is a call, and while there is none. */
function dress(calling) {
  for (const one of [start, without]) one.hidden = calling;
  for (const one of [interrupt, hangUp, write]) one.hidden = !calling;
  mute.hidden = !(calling && listens);
  transcript.hidden = calling || transcript.dataset.kept !== "yes";
}

async function begin(withMicrophone) {
  if (line !== null) return;
  complain("");
  list.replaceChildren();
  lines.clear();
  [listens, muted, held, sounds, does] = [withMicrophone, false, false, false, "opening"];
  mute.setAttribute("aria-pressed", "false");
  transcript.dataset.kept = "";
  try {
    sound = await openSound(voice);
  } catch {
    // Without a loudspeaker the answers are read.
    sound = null;
    listens = false;
  }
  line = call(find("#desk")?.checked, told);
  dress(true);
  show();
  (listens ? hangUp : text).focus();
}

function over() {
  const [ended, quiet] = [line, sound];
  [line, sound] = [null, null];
  quiet?.close();
  ended?.close();
  sounds = false;
  Object.assign(staff, { watched: false, held: false });
  attend();
  breathe(0);
  start.textContent = words.start;
  state.textContent = "";
  show();
  dress(false);
  start.focus();
}

function setMute(to) {
  if (line === null || !listens) return;
  muted = to;
  sound?.mute(muted);
  mute.setAttribute("aria-pressed", String(muted));
  if (!sounds) breathe(0);
  show();
}

function stop() {
  if (line === null || interrupt.disabled) return;
  sound?.drop();
  line.say("stop");
}

async function choices() {
  const found = await microphones();
  const chosen = device.value;
  device.replaceChildren(device.options[0], ...found.map((one) => make("option", { value: one.deviceId }, one.label)));
  device.value = found.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
}

if (start) {
  start.addEventListener("click", () => begin(true));
  without.addEventListener("click", () => begin(false));
  mute.addEventListener("click", () => setMute(!muted));
  interrupt.addEventListener("click", stop);
  hangUp.addEventListener("click", () => { line?.say("hang_up"); });
  device.addEventListener("change", () => {
    if (line !== null && listens) sound?.listen(device.value).then(() => sound?.mute(muted), () => complain(words["no-microphone"]));
  });
  write.addEventListener("submit", (event) => {
    event.preventDefault();
    if (text.value.trim() === "") return;
    line?.say("text", { text: text.value });
    text.value = "";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop();
    if (event.key === "m" && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) setMute(!muted);
  });
  navigator.mediaDevices?.addEventListener("devicechange", choices);
  addEventListener("pagehide", () => line?.close());
  choices();
}
