// Checks of a character's file before it is parsed; each error is a sentence for the user.

export const MOST_BYTES = 100 * 1024 * 1024;
const MAGIC = 0x46546c67; // "glTF"
const JSON_CHUNK = 0x4e4f534a;
const MOST_POINTS = 20_000_000;
const FEWEST_PARTS = 2; // of a body without a skin
const PACKED = { KHR_draco_mesh_compression: "Draco", KHR_texture_basisu: "KTX2" };

/** A problem with a file or its bones, as a sentence for the user. */
export class CharacterError extends Error {}

const megabytes = (bytes) => `${Math.ceil(bytes / (1024 * 1024))} MB`;

export function checkSize(bytes) {
  if (bytes > MOST_BYTES) {
    throw new CharacterError(`it has ${megabytes(bytes)}, and at most ${megabytes(MOST_BYTES)} can be shown; export it smaller`);
  }
}

/** The JSON of a GLB or VRM (an ArrayBuffer). Raises CharacterError. */
export function checkedDocument(buffer) {
  checkSize(buffer.byteLength);
  const view = new DataView(buffer);
  if (buffer.byteLength < 20 || view.getUint32(0, true) !== MAGIC) {
    throw new CharacterError("it is not a GLB or VRM file; export the character as one .glb or .vrm");
  }
  if (view.getUint32(4, true) !== 2) throw new CharacterError("it is not glTF version 2; export it again as glTF 2.0");
  const length = view.getUint32(12, true);
  if (view.getUint32(8, true) > buffer.byteLength || 20 + length > buffer.byteLength) {
    throw new CharacterError("it is incomplete; copy or export it again");
  }
  let document = null;
  try {
    if (view.getUint32(16, true) === JSON_CHUNK) document = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 20, length)));
  } catch {
    // reported below
  }
  if (document === null || typeof document !== "object") throw new CharacterError("its contents are damaged; export it again");
  checkContents(document);
  return document;
}

function checkContents(document) {
  const list = (name) => (Array.isArray(document[name]) ? document[name] : []);
  const outside = [...list("buffers"), ...list("images")].find(({ uri }) => uri !== undefined && !/^data:/i.test(uri));
  if (outside) {
    throw new CharacterError("it refers to other files, which are not loaded; export it as one .glb with everything inside");
  }
  for (const [extension, name] of Object.entries(PACKED)) {
    const demanded = extension === "KHR_draco_mesh_compression" ? list("extensionsUsed") : list("extensionsRequired");
    if (demanded.includes(extension)) {
      throw new CharacterError(`it is compressed with ${name}, which this view does not support; export it without that compression`);
    }
  }
  if (list("accessors").some(({ count }) => !(count <= MOST_POINTS))) throw new CharacterError("it is damaged or far too large; export it again");
  const parts = list("nodes").filter(({ mesh, skin }) => mesh !== undefined && skin === undefined);
  if (!list("skins").length && parts.length < FEWEST_PARTS) throw new CharacterError("it has no skeleton; export the character with its bones (armature)");
}
