// Security keys and passkeys: options from the REST, the browser's own dialogue, and the answer back to the REST.

import { Messages, Refused, access, post } from "./rest.js";

const AUTHENTICATION = "/auth/rest/public/authentication/fido";
const REGISTRATION = "/auth/rest/protected/self-service/fido/registration";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
const described = (list) => list?.map((each) => ({ ...each, id: bytes(each.id) }));

function requestOptions(json) {
  return { ...json, challenge: bytes(json.challenge), allowCredentials: described(json.allowCredentials) };
}

function creationOptions(json) {
  return {
    ...json,
    challenge: bytes(json.challenge),
    user: { ...json.user, id: bytes(json.user.id) },
    excludeCredentials: described(json.excludeCredentials),
  };
}

async function retrieveOptions() {
  const asked = await post(`${AUTHENTICATION}/challenge/retrieve`);
  return requestOptions(asked.data.attributes.publicKey);
}

async function goOn(part, messages, credential) {
  messages.say("checking");
  await post(`${AUTHENTICATION}/assertion/check`, { credential: credential.toJSON() });
  location.assign(`/login/${encodeURIComponent(part.dataset.application)}`);
}

async function logIn(part, messages) {
  await access(part.dataset.application);
  const publicKey = await retrieveOptions();
  messages.say("waiting");
  await goOn(part, messages, await navigator.credentials.get({ publicKey }));
}

/**
 * Passkeys among what the browser offers for the user name, until the login that this page began is over.
 * A session has one challenge, so whoever asks for another one stops this first.
 */
class Offer {
  constructor(part, messages) {
    this.part = part;
    this.messages = messages;
    this.begin();
  }

  begin() {
    this.asking = new AbortController();
    this.over = "offer" in this.part.dataset ? this.make(this.asking.signal) : undefined;
  }

  async stop() {
    this.asking.abort();
    await this.over;
  }

  async make(stopped) {
    try {
      if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
      await access(this.part.dataset.application);
    } catch {
      return; // who presses the button is told why
    }
    while (await this.ask(stopped));
  }

  /** Offer them with one challenge; whether it has become too old, and nobody has chosen one. */
  async ask(stopped) {
    const round = new AbortController();
    const end = () => round.abort();
    stopped.addEventListener("abort", end);
    const timer = setTimeout(end, 750 * Number(this.part.dataset.offer));
    let credential;
    try {
      const publicKey = await retrieveOptions();
      credential = await navigator.credentials.get({ publicKey, mediation: "conditional", signal: round.signal });
    } catch {
      return round.signal.aborted && !stopped.aborted;
    } finally {
      clearTimeout(timer);
    }
    try {
      await goOn(this.part, this.messages, credential);
    } catch (error) {
      this.messages.refuse(error.name);
    }
    return false;
  }
}

async function register(part, messages) {
  const displayName = part.elements.name.value.trim();
  const asked = await post(`${REGISTRATION}/challenge/retrieve`, { displayName });
  messages.say("waiting");
  const credential = await navigator.credentials.create({ publicKey: creationOptions(asked.data.attributes.publicKey) });
  messages.say("checking");
  await post(`${REGISTRATION}/check`, { credential: credential.toJSON() });
  location.assign(part.dataset.next);
}

/** A form that takes the key's answer along; what is asked for is in the page. */
async function approve(form, messages) {
  messages.say("waiting");
  const credential = await navigator.credentials.get({ publicKey: requestOptions(JSON.parse(form.dataset.options)) });
  messages.say("checking");
  form.elements.credential.value = JSON.stringify(credential.toJSON());
  form.submit();
}

const ACTS = { get: logIn, create: register, approve };

function whyNot() {
  if (!isSecureContext) return "insecure";
  return "PublicKeyCredential" in window && navigator.credentials ? null : "unsupported";
}

for (const part of document.querySelectorAll("[data-key]")) {
  const messages = new Messages(part);
  const button = part.querySelector("[data-start]");
  const act = ACTS[part.dataset.key];
  let busy = false;
  let offer;

  async function start(event) {
    event.preventDefault();
    if (busy) return;
    busy = true;
    button.setAttribute("aria-disabled", "true");
    messages.clear();
    try {
      await offer.stop();
      await act(part, messages);
      return; // the next page is on its way
    } catch (error) {
      messages.refuse(error instanceof Refused || error instanceof DOMException ? error.name : "other");
    }
    busy = false;
    button.removeAttribute("aria-disabled");
    offer.begin();
  }

  const reason = whyNot();
  if (reason) {
    messages.refuse(reason);
  } else {
    button.disabled = false;
    offer = new Offer(part, messages);
    part.addEventListener(part.tagName === "FORM" ? "submit" : "click", (event) => {
      if (part.tagName === "FORM" || event.target === button) start(event);
    });
  }
}

// The back button may show the page as it was left, with a button that waits for ever.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
