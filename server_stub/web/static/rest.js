// Calls to the REST of this server, and what a page says about them.

export class Refused extends Error {
  constructor(code, document) {
    super(code);
    this.name = code;
    this.document = document;
  }
}

/** POST `body` as JSON; the document of a good answer. Throws Refused with the error's code otherwise. */
export async function post(path, body = {}) {
  let response, document;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Same-Domain": "1" },
      body: JSON.stringify(body),
    });
    document = await response.json();
  } catch {
    throw new Refused("network");
  }
  if (!response.ok) throw new Refused(document.errors?.[0]?.code ?? "other", document);
  return document;
}

/** Begin a login for an application, unless one is under way: 401 is the answer that says what comes first. */
export async function access(application) {
  try {
    await post(`/auth/rest/public/authentication/applications/${encodeURIComponent(application)}/access`);
  } catch (error) {
    if (error.name !== "NOT_AUTHORIZED") throw error;
  }
}

/** The messages of a part of the page: the server wrote all of them into it, in the visitor's language. */
export class Messages {
  constructor(part) {
    this.part = part;
    this.status = part.querySelector("[data-status]");
    this.alert = part.querySelector("[data-alert]");
  }

  find(code) {
    return this.part.querySelector(`[data-messages] [data-for="${CSS.escape(code)}"]`)?.textContent;
  }

  say(code) {
    this.alert.hidden = true;
    this.status.hidden = false;
    this.status.textContent = this.find(code);
  }

  refuse(code) {
    this.status.hidden = true;
    this.alert.hidden = false;
    this.alert.textContent = this.find(code) ?? this.find("other");
    this.alert.dataset.code = code;
  }

  clear() {
    this.status.hidden = this.alert.hidden = true;
  }
}
