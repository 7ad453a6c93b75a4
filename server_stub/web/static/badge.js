// A badge held up to the camera: pictures to the decoder, bytes to the REST, until one is accepted.

import { loadDecoder } from "./decode.js";
import { Messages, access, post } from "./rest.js";

const CHECK = "/auth/rest/public/authentication/badge/check";
const WIDTH = 640;
const AGAIN_AFTER = 3000; // a badge that was refused is tried again when it is still there after so long
const WHY = { NotAllowedError: "camera_refused", NotFoundError: "camera_missing", OverconstrainedError: "camera_missing", NotReadableError: "camera_busy" };

const part = document.querySelector("[data-badge]");
const [startButton, running, choice, flip, video, select] = ["[data-start]", "[data-running]", "[data-choice]", "[data-flip]", "video", "select"].map(
  (selector) => part.querySelector(selector),
);
const messages = new Messages(part);
const application = part.dataset.application;
const canvas = document.createElement("canvas");
const drawing = canvas.getContext("2d", { willReadFrequently: true });
let decoder, stream;
let refused = { text: "", until: 0 };

async function open(deviceId) {
  close();
  const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
  const wanted = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  stream = await navigator.mediaDevices.getUserMedia({ video: { ...size, ...wanted } });
  for (const track of stream.getVideoTracks()) track.addEventListener("ended", () => stop("camera_gone"));
  video.srcObject = stream;
  await video.play();
}

function close() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
}

function stop(code) {
  close();
  running.hidden = true;
  startButton.hidden = false;
  messages.refuse(code);
}

async function listCameras() {
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((each) => each.kind === "videoinput");
  const used = stream?.getVideoTracks()[0]?.getSettings().deviceId;
  select.replaceChildren(
    ...cameras.map((each, index) => new Option(each.label || String(index + 1), each.deviceId, false, each.deviceId === used)),
  );
  choice.hidden = cameras.length < 2;
}

function picture() {
  const scale = Math.min(1, WIDTH / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  drawing.drawImage(video, 0, 0, canvas.width, canvas.height);
  return drawing.getImageData(0, 0, canvas.width, canvas.height);
}

const nextFrame = () =>
  new Promise((resolve) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
    else setTimeout(resolve, 50);
  });

/** Whether the badge was accepted; a login that ran out while nobody came is begun anew. */
async function check(badge) {
  try {
    await post(CHECK, { badge });
  } catch (error) {
    if (error.name !== "NOT_AUTHORIZED") throw error;
    await access(application);
    await post(CHECK, { badge });
  }
}

async function look(mine) {
  while (stream === mine) {
    await nextFrame();
    if (stream !== mine || !video.videoWidth) continue;
    const bytes = await decoder.decode(picture());
    if (!bytes?.length) continue;
    const text = btoa(String.fromCharCode(...bytes));
    if (text === refused.text && performance.now() < refused.until) continue;
    try {
      await check(text);
      close();
      location.assign(`/login/${encodeURIComponent(application)}`);
      return;
    } catch (error) {
      if (error.name === "UNEXPECTED_CALL") {
        location.assign(`/login/${encodeURIComponent(application)}`);
        return;
      }
      refused = { text, until: performance.now() + AGAIN_AFTER };
      messages.refuse(error.name);
    }
  }
}

async function start(deviceId) {
  messages.clear();
  startButton.hidden = true;
  if (!navigator.mediaDevices?.getUserMedia) return stop("camera_insecure");
  try {
    await access(application);
    await open(deviceId);
    await listCameras();
  } catch (error) {
    return stop(WHY[error.name] ?? error.name);
  }
  running.hidden = false;
  try {
    decoder ??= await loadDecoder();
  } catch {
    return stop("decoder");
  }
  part.dataset.decoder = decoder.name;
  messages.say("looking");
  look(stream);
}

startButton.addEventListener("click", () => start());
select.addEventListener("change", () => start(select.value));
navigator.mediaDevices?.addEventListener("devicechange", listCameras);
flip.addEventListener("click", () => {
  // Only what is seen is turned round: the decoders read mirrored codes too.
  const flipped = flip.getAttribute("aria-pressed") !== "true";
  flip.setAttribute("aria-pressed", String(flipped));
  video.parentElement.classList.toggle("flipped", flipped);
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

startButton.hidden = false;
try {
  // Who has allowed the camera before is not asked to press a button.
  if ((await navigator.permissions.query({ name: "camera" })).state === "granted") start();
} catch {
  // This browser does not tell; the button is there.
}
