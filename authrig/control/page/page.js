// The page of the bench: a card for each device, and what happens beside them. It knows nothing that the API does not tell.

const STORED = "authrig-bench-token";
const KEPT_LINES = 1000;
const cards = new Map();
const turns = new Map();
const newest = new Map();
let token = sessionStorage.getItem(STORED) ?? "";
let lastEvent = 0;

const by = (id) => document.getElementById(id);

/** A call of the API; throws an Error with the API's own sentence. */
async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${token}`, ...options.headers };
  const answer = await fetch(path, { ...options, headers, cache: "no-store" });
  if (answer.ok) return answer;
  const words = await answer.json().catch(() => ({ error: `status ${answer.status}` }));
  const error = new Error(words.error);
  error.status = answer.status;
  throw error;
}

const post = (path, body) => ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Do something on behalf of a person, and say so if it fails. */
async function attempt(act) {
  try {
    await act();
  } catch (error) {
    complain(error.message);
  }
}

let silence;
function complain(sentence) {
  const toast = by("trouble");
  toast.textContent = sentence;
  toast.hidden = false;
  clearTimeout(silence);
  silence = setTimeout(() => { toast.hidden = true; }, 8000);
}

// Logging in

async function begin() {
  const code = location.hash.slice(1);
  if (code && !code.startsWith("devices")) {
    history.replaceState(null, "", location.pathname);
    try {
      const answer = await fetch("/login", { method: "POST", body: JSON.stringify({ code }) });
      if (answer.ok) remember((await answer.json()).token);
      else if (!token) by("login-error").textContent = (await answer.json()).error;
    } catch {
      by("login-error").textContent = "The bench does not answer.";
    }
  }
  if (token) await open();
  else showLogin();
}

function remember(found) {
  token = found;
  sessionStorage.setItem(STORED, token);
}

function showLogin() {
  by("bench").hidden = true;
  by("login").hidden = false;
  live("waiting", "not logged in");
  by("token").focus();
}

async function open() {
  try {
    const { devices } = await (await ask("/devices")).json();
    by("login").hidden = true;
    by("bench").hidden = false;
    build(devices);
    follow();
  } catch (error) {
    if (error.status !== 401) {
      live("lost", "the bench does not answer");
      return;
    }
    sessionStorage.removeItem(STORED);
    token = "";
    by("login-error").textContent = error.message;
    showLogin();
  }
}

by("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  by("login-error").textContent = "";
  remember(by("token").value.trim());
  open();
});

// Cards

function build(devices) {
  newest.clear();
  by("devices").replaceChildren();
  by("filter").replaceChildren(by("filter").options[0]);
  for (const device of devices) {
    const card = by("card").content.firstElementChild.cloneNode(true);
    card.dataset.device = device.name;
    card.dataset.kind = device.kind;
    card.querySelector("h2").textContent = device.name;
    card.querySelector("h2").id = `name-${device.name}`;
    card.setAttribute("aria-labelledby", `name-${device.name}`);
    card.querySelector(".tag").textContent = `${device.kind} · ${device.emulated ? "emulated" : "attached"}`;
    by("devices").append(card);
    by("filter").append(new Option(device.name, device.name));
    cards.set(device.name, card);
    const kind = KINDS[device.kind];
    if (device.actions.length || device.kind === "server") kind.build(card, device);
    update(device);
  }
}

function part(card, name) {
  card.querySelector(".body").append(by(name).content.cloneNode(true));
}

function update(device) {
  const card = cards.get(device.name);
  // Answers may overtake each other.
  if (device.number < (newest.get(device.name) ?? 0)) return;
  newest.set(device.name, device.number);
  const { trouble } = device.state;
  const line = card.querySelector(":scope > .trouble");
  line.hidden = !trouble;
  line.textContent = trouble ?? "";
  const kind = KINDS[device.kind];
  if (device.actions.length || device.kind === "server") kind.update(card, device);
}

function facts(card, entries) {
  const list = card.querySelector(".facts");
  list.replaceChildren();
  for (const [name, value] of entries) {
    if (value === null || value === undefined || value === "") continue;
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = String(value);
    list.append(term, detail);
  }
}

const path = (device, call) => `/devices/${encodeURIComponent(device.name ?? device)}/${call}`;

async function refresh(name) {
  update(await (await ask(path(name, "state"))).json());
}

function switchable(card, device) {
  const button = card.querySelector(".power");
  button.hidden = !device.actions.includes("power");
  button.addEventListener("click", () => attempt(async () => {
    await post(path(device, "power"), { on: button.dataset.on !== "true" });
    await refresh(device.name);
  }));
}

function showsPower(card, on, words) {
  const button = card.querySelector(".power");
  button.dataset.on = String(on);
  button.textContent = on ? words[1] : words[0];
}

/** Draw what a device shows; of two that overlap, the later one counts. */
async function draw(card, name, shows = "") {
  const image = card.querySelector(".screen");
  const turn = (turns.get(name) ?? 0) + 1;
  turns.set(name, turn);
  try {
    const url = URL.createObjectURL(await (await ask(path(name, "screen.png"))).blob());
    const fresh = new Image();
    fresh.src = url;
    await fresh.decode();
    if (turns.get(name) !== turn) {
      URL.revokeObjectURL(url);
      return false;
    }
    const before = image.src;
    image.src = url;
    await image.decode().catch(() => {});
    if (before) URL.revokeObjectURL(before);
    image.hidden = false;
    image.dataset.shows = shows;
    card.querySelector(".nothing")?.setAttribute("hidden", "");
    return true;
  } catch (error) {
    if (error.status !== 404) throw error;
    image.hidden = true;
    card.querySelector(".nothing")?.removeAttribute("hidden");
    return false;
  }
}

const KINDS = {
  fido: {
    build(card, device) {
      part(card, "key-body");
      const button = card.querySelector(".touch");
      button.setAttribute("aria-label", `Touch ${device.name}`);
      // As on a real key the finger counts when it comes down, and stays as long as the button is held.
      const down = () => attempt(() => post(path(device, "touch"), { on: true }));
      const up = () => attempt(async () => { await post(path(device, "touch"), { on: false }); });
      let order = Promise.resolve();
      const next = (act) => { order = order.then(act); };
      button.addEventListener("pointerdown", (event) => { button.setPointerCapture(event.pointerId); next(down); });
      for (const end of ["pointerup", "pointercancel"]) button.addEventListener(end, () => next(up));
      button.addEventListener("keydown", (event) => {
        if ((event.key === " " || event.key === "Enter") && !event.repeat) { event.preventDefault(); next(down); }
      });
      button.addEventListener("keyup", (event) => { if (event.key === " " || event.key === "Enter") { event.preventDefault(); next(up); } });
      button.addEventListener("click", (event) => { if (event.detail === 0 && event.isTrusted && !event.pointerType) next(() => attempt(() => post(path(device, "touch"), {}))); });
      switchable(card, device);
    },
    update(card, { state, emulated }) {
      const key = card.querySelector(".key");
      key.classList.toggle("powered", state.power ?? true);
      key.classList.toggle("asking", Boolean(state.asks));
      key.classList.toggle("touched", Boolean(state.touch));
      card.querySelector(".asks").textContent = state.asks ? `Touch it: ${state.asks}${state.rp_id ? ` · ${state.rp_id}` : ""}` : "";
      showsPower(card, state.power ?? true, ["Plug in", "Unplug"]);
      facts(card, emulated ? [["address", state.address], ["profile", state.profile]] : [["in use", state.opened ? "yes" : "not yet"]]);
    },
  },

  "qr-token": {
    build(card, device) {
      part(card, "token-body");
      for (const [selector, button] of [[".c", "cancel"], [".o", "ok"], [".cancel", "cancel"], [".ok", "ok"]]) {
        const element = card.querySelector(selector);
        element.addEventListener("click", () => press(card, device, button));
      }
      // The keys of the picture are there for the mouse; the ones below are the same for everybody.
      for (const soft of card.querySelectorAll(".soft")) { soft.tabIndex = -1; soft.setAttribute("aria-hidden", "true"); soft.hidden = !device.emulated; }
      const pad = card.querySelector(".pad");
      for (const digit of "1234567890") {
        const key = document.createElement("button");
        key.type = "button";
        key.className = "quiet";
        key.textContent = digit;
        key.addEventListener("click", () => press(card, device, digit));
        pad.append(key);
      }
      switchable(card, device);
      if (device.actions.includes("picture")) canBeShown(card, device);
      else card.querySelector(".drop").title = "";
    },
    update(card, device) {
      const { state } = device;
      card.querySelector(".pad").hidden = !state.keypad;
      const said = card.querySelector(".said");
      said.replaceChildren();
      if (state.code) {
        const code = document.createElement("span");
        code.className = "code";
        code.textContent = state.code;
        said.append(code);
      } else said.textContent = (state.lines ?? []).join(" / ");
      showsPower(card, state.power ?? false, ["Switch on", "Switch off"]);
      showsPicture(card, state.picture);
      card.querySelector(".screen").alt = state.screen ? `The token: ${state.screen}. ${(state.lines ?? []).join(". ")}` : "The token";
      for (const [selector, word, name] of [[".c", state.keys?.cancel, "C"], [".o", state.keys?.ok, "OK"]]) {
        card.querySelector(selector).textContent = word && word !== name ? `${name} · ${word}` : name;
      }
      facts(card, device.emulated ? [["serial", state.serial], ["profile", state.profile]] : [["in use", state.opened ? "yes" : "not yet"]]);
      if (device.emulated || state.opened) attempt(async () => { if (await draw(card, device.name, state.screen)) place(card); });
    },
  },

  scanner: {
    build(card, device) {
      part(card, "view-body");
      canBeShown(card, device);
      const look = card.querySelector(".look");
      look.hidden = device.kind !== "camera";
      look.addEventListener("click", () => attempt(() => draw(card, device.name)));
    },
    update(card, device) {
      const { state } = device;
      showsPicture(card, state.view && device.emulated);
      card.querySelector(".said").textContent = state.read ? `read: ${state.read}` : "";
      card.querySelector(".screen").alt = state.read ? `What it saw, with the code that says ${state.read} outlined` : "What it sees";
      facts(card, [["preset", state.preset], ["in use", device.emulated ? null : state.opened ? "yes" : "not yet"]]);
      if (state.view && (device.emulated || state.opened)) attempt(() => draw(card, device.name));
      else { card.querySelector(".screen").hidden = true; card.querySelector(".nothing").hidden = false; }
    },
  },

  server: {
    build(card) { part(card, "server-body"); },
    update(card, { state }) {
      const link = card.querySelector("a");
      const url = state.login ?? state.url;
      link.parentElement.hidden = !url;
      if (url && /^https?:/.test(url)) link.href = url;
      facts(card, [["address", state.url], ["user", state.username], ["password", state.password]]);
    },
  },
};
KINDS["otp-token"] = KINDS["qr-token"];
KINDS.camera = KINDS.scanner;

function press(card, device, button) {
  const held = card.querySelector(".held").checked;
  card.querySelector(".held").checked = false;
  return attempt(async () => update(await (await post(path(device, "press"), { button, held })).json()));
}

/** Lay the buttons over those that are drawn; the casing is as emulators/hwtoken/casing.py draws it. */
function place(card) {
  const image = card.querySelector(".screen");
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  for (const [selector, left] of [[".soft.cancel", 52], [".soft.ok", width - 162]]) {
    const { style } = card.querySelector(selector);
    style.left = `${(100 * left) / width}%`;
    style.top = `${(100 * (height - 78)) / height}%`;
    style.width = `${(100 * 110) / width}%`;
    style.height = `${(100 * 48) / height}%`;
  }
}

// Pictures

function canBeShown(card, device) {
  if (!device.actions.includes("picture")) return;
  card.querySelector(".show").append(by("show-body").content.cloneNode(true));
  card.tabIndex = 0;
  const show = (blob) => attempt(async () => {
    const body = blob.type === "image/png" ? blob : await toPng(blob);
    const answer = await ask(path(device, "picture"), { method: "POST", headers: { "Content-Type": "image/png" }, body });
    update(await answer.json());
  });
  card.addEventListener("dragover", (event) => { event.preventDefault(); card.classList.add("over"); });
  card.addEventListener("dragleave", () => card.classList.remove("over"));
  card.addEventListener("drop", (event) => {
    event.preventDefault();
    card.classList.remove("over");
    const file = event.dataTransfer.files[0];
    if (file) show(file);
    else if (event.dataTransfer.getData("text/plain")) showText(event.dataTransfer.getData("text/plain"));
  });
  card.addEventListener("paste", (event) => {
    const item = [...event.clipboardData.items].find((each) => each.type.startsWith("image/"));
    if (item) { event.preventDefault(); show(item.getAsFile()); }
  });
  const file = card.querySelector("input[type=file]");
  file.addEventListener("change", () => { if (file.files[0]) show(file.files[0]); file.value = ""; });
  const showText = (text) => attempt(async () => {
    const answer = await ask(path(device, "picture"), { method: "POST", headers: { "Content-Type": "text/plain" }, body: text });
    update(await answer.json());
  });
  card.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = card.querySelector(".text");
    if (text.value) showText(text.value);
  });
  const away = card.querySelector(".away");
  away.addEventListener("click", () => attempt(async () => update(await (await ask(path(device, "picture"), { method: "DELETE" })).json())));
}

function showsPicture(card, there) {
  card.querySelector(".before")?.toggleAttribute("hidden", !there || card.dataset.kind === "scanner");
  card.querySelector(".away")?.toggleAttribute("hidden", !there);
}

/** Whatever the browser can show, as a PNG. */
async function toPng(blob) {
  const bitmap = await createImageBitmap(blob).catch(() => { throw new Error("expected a picture, found something that this browser cannot show"); });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

// What happens

function live(state, words) {
  by("live").dataset.state = state;
  by("live").textContent = words;
}

const stale = new Set();
let updating = false;

/** Ask each device that something happened to how it stands, one after the other, and never twice for one burst. */
async function catchUp(name) {
  stale.add(name);
  if (updating) return;
  updating = true;
  while (stale.size) {
    const [next] = stale;
    stale.delete(next);
    await refresh(next).catch(() => {});
  }
  updating = false;
}

async function follow() {
  for (;;) {
    try {
      const answer = await ask("/events", lastEvent ? { headers: { "Last-Event-ID": String(lastEvent) } } : {});
      live("live", "live");
      for (const name of cards.keys()) catchUp(name);
      await readEvents(answer.body);
    } catch (error) {
      if (error.status === 401) {
        sessionStorage.removeItem(STORED);
        token = "";
        by("login-error").textContent = "This bench has ended; another one is up. " + error.message;
        showLogin();
        return;
      }
    }
    live("lost", "the bench does not answer; trying again");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Server-sent events by hand: a page's EventSource cannot bear a token. */
async function readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = Object.fromEntries(text.slice(0, end).split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      text = text.slice(end + 2);
      if (lines.data) happened(lines.event, JSON.parse(lines.data), Number(lines.id));
    }
  }
}

function happened(kind, data, number) {
  lastEvent = number;
  if (kind === "skipped") {
    write({ kind: "skipped", device: "", time: Date.now() / 1000, text: `${data.count} lines came too fast and were left out` });
    return;
  }
  write(data);
  if (data.kind !== "ctap" && cards.has(data.device)) catchUp(data.device);
  else if (/KEEPALIVE|OK|ERROR|key → host/.test(data.text)) catchUp(data.device);
}

function write({ kind, device, time, text }) {
  const log = by("log");
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  const line = document.createElement("li");
  line.dataset.device = device;
  line.className = kind === "trouble" ? "trouble-line" : kind;
  if (text.startsWith("host →")) line.classList.add("host");
  if (kind === "ctap" && text.startsWith("    ")) line.classList.add("inner");
  line.hidden = Boolean(by("filter").value) && by("filter").value !== device;
  const when = document.createElement("time");
  const what = document.createElement("span");
  const who = document.createElement("span");
  when.textContent = new Date(time * 1000).toTimeString().slice(0, 8);
  who.className = "who";
  who.textContent = device;
  what.className = "what";
  what.append(text.startsWith("    ") ? text.slice(2) : text);
  const rest = document.createElement("div");
  if (!line.classList.contains("inner")) rest.append(who);
  rest.append(what);
  line.append(when, rest);
  log.append(line);
  while (log.childElementCount > KEPT_LINES) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

by("filter").addEventListener("change", () => {
  for (const line of by("log").children) line.hidden = Boolean(by("filter").value) && by("filter").value !== line.dataset.device;
});
by("clear").addEventListener("click", () => by("log").replaceChildren());

begin();
