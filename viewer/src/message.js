// The binary messages of /live: u32 little-endian header length, JSON header, JPEG.

/** The header with `jpeg` (Uint8Array, empty without an image) and the people in the receivers' format. */
export function decodeFrame(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { ...header, jpeg: new Uint8Array(buffer, 4 + length) };
}

/** A frame of the browser's camera: f64 little-endian milliseconds of the grab, then JPEG. */
export function encodeFrame(grabbedMs, jpeg) {
  const message = new Uint8Array(8 + jpeg.byteLength);
  new DataView(message.buffer).setFloat64(0, grabbedMs, true);
  message.set(new Uint8Array(jpeg), 8);
  return message;
}
