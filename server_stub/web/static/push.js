// Ask every two seconds whether the app was answered, and go on when something has changed.

import { Messages, post } from "./rest.js";

const PERIOD = 2000;
const part = document.querySelector("[data-push]");
const messages = new Messages(part);
const here = `/login/${encodeURIComponent(part.dataset.application)}`;

async function ask() {
  try {
    const document = await post("/auth/rest/public/authentication/airlock-2fa/status/poll");
    messages.clear();
    if (document.data.attributes.nextAuthStep === "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED") {
      setTimeout(ask, PERIOD);
    } else {
      location.replace(here);
    }
  } catch (error) {
    if (error.name === "network") {
      messages.refuse("network");
      setTimeout(ask, PERIOD);
    } else {
      location.replace(`${here}?why=${encodeURIComponent(error.name)}`);
    }
  }
}

setTimeout(ask, PERIOD);
