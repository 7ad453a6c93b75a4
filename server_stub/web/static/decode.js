// QR codes in a picture, as bytes: zxing-cpp as WebAssembly, or jsQR where that cannot run.

const WASM = new URL("./vendor/zxing-wasm/zxing_reader.wasm", import.meta.url).href;

async function zxing() {
  const reader = await import("./vendor/zxing-wasm/es/reader/index.js");
  // Its default is an address of a public CDN; nothing here is loaded from anywhere else.
  await reader.prepareZXingModule({ overrides: { locateFile: () => WASM }, fireImmediately: true });
  const options = { formats: ["QRCode"], maxNumberOfSymbols: 1 };
  const decode = async (picture) => (await reader.readBarcodes(picture, options))[0]?.bytes;
  return { name: "zxing-wasm", decode };
}

async function jsqr() {
  await import("./vendor/jsqr/jsQR.js");
  const decode = async (picture) => {
    const found = self.jsQR(picture.data, picture.width, picture.height);
    return found && Uint8Array.from(found.binaryData);
  };
  return { name: "jsqr", decode };
}

/** A decoder: `decode(ImageData)` gives the bytes of a QR code, or nothing. Throws when there is none for this browser. */
export async function loadDecoder() {
  try {
    return await zxing();
  } catch (error) {
    console.info(`no zxing-wasm here, so jsQR: ${error}`);
    return jsqr();
  }
}
