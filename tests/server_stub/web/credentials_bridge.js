// In place of the browser's own dialogue: what the page asks of navigator.credentials goes to the emulated key of the test.
(() => {
  const text = (buffer) => {
    const bytes = ArrayBuffer.isView(buffer) ? buffer : new Uint8Array(buffer);
    return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const named = (list) => (list ?? []).map((each) => ({ ...each, id: text(each.id) }));
  const ask = async (what, options) => {
    const answer = await window.askEmulatedKey(what, options);
    if (answer.error) throw new DOMException("the emulated key refused", answer.error);
    return { toJSON: () => answer };
  };
  // A browser offers passkeys for a field until one is chosen; here the test chooses, by the event "choosepasskey".
  const chosen = (signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason));
      addEventListener("choosepasskey", resolve);
    });
  const get = async ({ publicKey, mediation, signal }) => {
    window.passkeysOffered = mediation === "conditional";
    if (window.passkeysOffered) await chosen(signal);
    return ask("get", {
      ...publicKey,
      challenge: text(publicKey.challenge),
      allowCredentials: named(publicKey.allowCredentials),
    });
  };
  const create = ({ publicKey }) =>
    ask("create", {
      ...publicKey,
      challenge: text(publicKey.challenge),
      user: { ...publicKey.user, id: text(publicKey.user.id) },
      excludeCredentials: named(publicKey.excludeCredentials),
    });
  PublicKeyCredential.isConditionalMediationAvailable = async () => true;
  Object.defineProperties(navigator.credentials, { get: { value: get }, create: { value: create } });
})();
