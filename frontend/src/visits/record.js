// Recording: entries and photos are written to the device, then sent by sync.js.
import { t } from "./dom.js";
import * as store from "./store.js";

/** The device's clock as it is, in whole milliseconds. */
export const now = () => new Date(Math.round(Date.now())).toISOString();

export const newId = () => crypto.randomUUID();

/** The id two phones find alike: see anze/prevention/rules/visits.py, derived_id. */
export const derivedId = async (...parts) => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("/")))).slice(0, 16);
  digest[6] = (digest[6] & 0x0f) | 0x80;
  digest[8] = (digest[8] & 0x3f) | 0x80;
  const hex = [...digest].map((each) => each.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

/** The id of somebody present on a visit: the same on every phone, see anze/prevention/rules/visits.py, identity_of. */
export const personId = (visit, person) =>
  derivedId(visit, "person", ...(person.expert_number ? [person.expert_number] : [person.role, person.name, person.post ?? ""]));

const changed = new EventTarget();
export const onChange = (hear) => changed.addEventListener("change", hear);
export const tell = () => changed.dispatchEvent(new Event("change"));

/** Record something new, or a new version of what is there. */
export const record = async (visit, kind, payload, id = newId()) => {
  const before = await store.get("entries", id);
  await store.put("entries", {
    ...(before ?? { id, visit, kind, revision: 0, change: null, made_at: now() }),
    payload,
    removed: false,
    dirty: true,
    problem: null,
    edited_at: now(),
  });
  tell();
  return id;
};

export const remove = async (id) => {
  await store.change("entries", id, (entry) =>
    entry.revision === 0 && !entry.change ? { removed: true, dirty: false } : { removed: true, dirty: true, problem: null },
  );
  tell();
};

/** A person decides between versions of one entry: what he picks is a new version that settles the others. */
export const pick = async (entry, payload, removed, settles) => {
  await store.put("entries", { ...entry, payload, removed, dirty: true, settles, problem: null, edited_at: now() });
  tell();
};

export const entriesOf = async (visit, kind) =>
  (await store.ofVisit("entries", visit))
    .filter((each) => !each.removed && (!kind || each.kind === kind))
    .sort((a, b) => (a.made_at < b.made_at ? -1 : 1));

// position -------------------------------------------------------------------------------------------------

const REFUSALS = { 1: "denied", 2: "unavailable", 3: "timeout" };
let last = { at: 0, position: { refused: "unavailable" } };

/** Where the device is, as exactly as it says within some seconds, or why it does not say. Never fails. */
export const position = (seconds = 8) =>
  new Promise((resolve) => {
    if (Date.now() - last.at < 30_000) return resolve(last.position);
    if (!navigator.geolocation) return resolve({ refused: "unavailable" });
    const keep = (found) => {
      last = { at: Date.now(), position: found };
      resolve(found);
    };
    setTimeout(() => resolve(last.at ? last.position : { refused: "timeout" }), seconds * 1000 + 200);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => keep({ lon: round(coords.longitude), lat: round(coords.latitude), accuracy: Math.round(coords.accuracy) }),
      ({ code }) => resolve({ refused: REFUSALS[code] ?? "unavailable" }),
      { enableHighAccuracy: true, timeout: seconds * 1000, maximumAge: 20_000 },
    );
  });
const round = (degrees) => Math.round(degrees * 1e6) / 1e6;

// photos ---------------------------------------------------------------------------------------------------

const hex = (buffer) => [...new Uint8Array(buffer)].map((each) => each.toString(16).padStart(2, "0")).join("");

/** Keep an original as the camera gave it. Returns what the entry says of it. */
export const keepPhoto = async (visit, file, role) => {
  const bytes = await file.arrayBuffer();
  const made = {
    id: newId(),
    visit,
    role,
    blob: new Blob([bytes], { type: file.type }),
    name: file.name ?? "",
    sha256: hex(await crypto.subtle.digest("SHA-256", bytes)),
    size: file.size,
    taken_at: now(),
    position: await position(4),
    strokes: [],
    receipt: null,
    problem: null,
    offset: 0,
  };
  await store.put("photos", made);
  tell();
  return { file: made.id, sha256: made.sha256, size: made.size, taken_at: made.taken_at, position: made.position, strokes: [] };
};

/** Let the camera take a photo. Resolves with what the entry says of it, or null. */
export const takePhoto = (visit, role) =>
  new Promise((resolve, reject) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = "image/*";
    input.setAttribute("capture", "environment");
    input.className = "visually-hidden";
    input.setAttribute("aria-label", t("take_photo"));
    input.addEventListener("change", async () => {
      const [file] = input.files;
      input.remove();
      try {
        resolve(file ? await keepPhoto(visit, file, role) : null);
      } catch (problem) {
        reject(problem);
      }
    });
    input.addEventListener("cancel", () => { input.remove(); resolve(null); });
    document.body.append(input);
    input.click();
  });

/** Photos of a visit of which the server said that this sender sent the same picture before. */
export const sentBefore = async (visit) => (await store.ofVisit("photos", visit)).filter((each) => each.receipt?.same_as?.length);

const urls = new Map();
/** An address of the picture on this device, while it is here. */
export const pictureOf = async (file) => {
  if (urls.has(file)) return urls.get(file);
  const photo = await store.get("photos", file);
  if (!photo?.blob) return null;
  urls.set(file, URL.createObjectURL(photo.blob));
  return urls.get(file);
};
