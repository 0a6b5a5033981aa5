// Sending what waits, and fetching what is new. Everything may break off anywhere and be done again.
import { language } from "./dom.js";
import { newId, now, tell } from "./record.js";
import * as store from "./store.js";

/** How things stand with the server: online, offline, signed-out, sending; when it was last reached. */
export const link = { state: navigator.onLine ? "online" : "offline", at: null, offset: 0 };
const MOST = 150; // changes at once
const PIECE = 512 * 1024;

const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";

class SignedOut extends Error {}
class Unreachable extends Error {}

const call = async (url, options = {}) => {
  let answer;
  try {
    answer = await fetch(url, {
      redirect: "manual",
      credentials: "same-origin",
      ...options,
      headers: { Accept: "application/json", "X-CSRFToken": token(), ...options.headers },
    });
  } catch (problem) {
    throw new Unreachable(String(problem));
  }
  if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
  if (answer.status >= 500) throw new Unreachable(String(answer.status));
  return answer;
};

/** Take along what the next days need. Whoever is signed in becomes the one whose rows are shown. */
export const fetchBundle = async () => {
  const known = account() ? await store.get("bundles", `bundle-${language()}`) : null;
  const answer = await call("/visits/bundle/", known?.etag ? { headers: { "If-None-Match": known.etag } } : {});
  const id = answer.headers.get("X-Account");
  if (answer.status === 403) {
    link.state = "forbidden";
    return;
  }
  if (answer.status === 304 && id === account()?.id) {
    store.account.lock(false);
    return;
  }
  if (answer.status !== 200) {
    if (answer.status === 304) return fetchFresh();
    return;
  }
  await keepBundle(answer);
};
const fetchFresh = async () => keepBundle(await call("/visits/bundle/", { cache: "no-store" }));
const keepBundle = async (answer) => {
  const content = await answer.json();
  store.account.set(content.account);
  store.account.lock(false);
  await store.put("bundles", { id: `bundle-${language()}`, etag: answer.headers.get("ETag"), content, at: new Date().toISOString() });
  tell();
};
const account = () => store.account.get();

export const bundle = async () => {
  const known = (await store.get("bundles", `bundle-${language()}`)) ?? (await store.get("bundles", `bundle-${language() === "en" ? "zh-hans" : "en"}`));
  return known?.content ?? null;
};

let running = null;
let again = false;

/** Send all that waits; called as often as anything changes, it runs once at a time, in one tab. */
export const send = (withBundle = false) => {
  if (running) {
    again = true;
    return running;
  }
  const work = async () => {
    do {
      again = false;
      await round(withBundle);
    } while (again);
  };
  const alone = navigator.locks ? () => navigator.locks.request("anze-visits-send", work) : work;
  running = alone().finally(() => {
    running = null;
    tell();
  });
  return running;
};

const round = async (withBundle) => {
  try {
    if (withBundle || !account() || link.state === "signed-out" || !(await bundle())) await fetchBundle();
    if (!account() || store.account.isLocked() || link.state === "forbidden") return;
    link.state = "sending";
    tell();
    while (await sendChanges());
    await sendPhotos();
    await submitWanted();
    link.state = "online";
    link.at = new Date().toISOString();
  } catch (problem) {
    if (problem instanceof SignedOut) link.state = "signed-out";
    else if (problem instanceof Unreachable) link.state = "offline";
    else {
      link.state = "offline";
      console.warn("not sent:", problem?.name, problem?.message);
    }
    const registration = await navigator.serviceWorker?.getRegistration?.("/visits/");
    await registration?.sync?.register("visits").catch(() => {});
  }
};

/** One parcel. True if there is more to send. */
const sendChanges = async () => {
  const visits = await store.all("visits");
  const entries = await store.all("entries");
  const queue = [];
  for (const entry of entries) {
    if (queue.length >= MOST) break;
    if (!entry.change && !entry.dirty) continue;
    // frozen before it is sent, under an id of its own: sent again it is the very same change
    const frozen = await store.change("entries", entry.id, (is) =>
      is.change
        ? {}
        : {
            dirty: false,
            change: {
              id: newId(),
              visit: is.visit,
              entry: is.id,
              kind: is.kind,
              payload: is.payload,
              removed: is.removed,
              base: is.base ?? is.revision,
              made_at: is.revision ? is.edited_at : is.made_at,
              settles: is.settles ?? [],
            },
            base: null,
            settles: null,
          },
    );
    queue.push(frozen.change);
  }
  const openings = visits.filter((each) => each.opening && !each.opened).map((each) => each.opening);
  const known = await bundle();
  const listed = new Set([...visits.map((each) => each.id), ...(known?.visits ?? []).filter((each) => each.state).map((each) => each.id)]);
  const byId = new Map(visits.map((each) => [each.id, each]));
  const knows = Object.fromEntries([...listed].slice(0, 100).map((id) => [id, byId.get(id)?.revision ?? 0]));
  const sent = Date.now();
  const answer = await call("/visits/sync/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sent_at: now(), device: deviceName(), visits: openings, changes: queue, knows }),
  });
  if (answer.status === 403) {
    // the token is older than the session: fetch both anew, then send again
    await fetchFresh();
    throw new Unreachable("403");
  }
  const told = await answer.json();
  if (answer.status !== 200) throw new Error(`${told.type}: ${told.title}`);
  if (told.account !== account().id) {
    await fetchFresh();
    return true;
  }
  link.offset = new Date(told.now).getTime() - (sent + Date.now()) / 2;
  await takeAnswers(told, queue, openings);
  await takeNews(told);
  tell();
  return queue.length >= MOST;
};

const deviceName = () => {
  const system = navigator.userAgentData?.platform || navigator.platform || "";
  const model = navigator.userAgent.match(/\(([^)]*)\)/)?.[1] ?? "";
  return `${system} ${model}`.trim().slice(0, 80);
};

const takeAnswers = async (told, queue, openings) => {
  for (const opening of openings) {
    const problem = told.refused[opening.id] ?? null;
    await store.change("visits", opening.id, () => ({ opened: !problem, problem }));
  }
  for (const change of queue) {
    const answer = told.answers[change.id];
    if (!answer) continue;
    await store.change("entries", change.entry, (entry) => {
      if (entry.change?.id !== change.id) return null;
      if (answer.state === "REFUSED") return { change: null, problem: answer.problem };
      const kept = answer.state === "CONFLICT" || answer.state === "LATE";
      // what was written on meanwhile goes on from the same base, so that it meets the other version too
      if (kept) return { change: null, kept: answer.state, base: entry.dirty ? change.base : null, problem: null };
      return { change: null, kept: null, revision: answer.revision, problem: null };
    });
  }
};

const takeNews = async (told) => {
  const held = new Set();
  for (const row of told.entries) {
    const here = await store.get("entries", row.id);
    if (here && (here.dirty || here.change)) {
      held.add(row.visit);
      continue;
    }
    await store.put("entries", {
      ...(here ?? {}),
      id: row.id,
      visit: row.visit,
      kind: row.kind,
      payload: row.payload,
      revision: row.revision,
      removed: row.removed,
      made_at: here?.made_at ?? row.made_at,
      by: row.by,
      change: null,
      dirty: false,
      problem: here?.problem ?? null,
    });
  }
  for (const [id, row] of Object.entries(told.visits)) {
    const here = (await store.get("visits", id)) ?? { id };
    await store.put("visits", {
      ...here,
      ...row,
      opened: true,
      problem: null,
      versions: told.versions[id] ?? here.versions ?? [],
      // what could not be taken over now is asked for once more
      revision: held.has(id) ? (here.revision ?? 0) : row.revision,
    });
  }
};

// photos: declared, sent in pieces from where the server is, until the receipt is here --------------------------

export const progress = new Map(); // file → bytes that are safely there

const sendPhotos = async () => {
  for (const photo of await store.all("photos")) {
    if (photo.receipt || photo.problem) continue;
    const visit = await store.get("visits", photo.visit);
    if (!visit?.opened || !photo.blob) continue;
    await sendPhoto(photo);
    tell();
  }
};

const sendPhoto = async (photo) => {
  const { lon = null, lat = null, accuracy = null } = photo.position ?? {};
  const declared = await call("/evidence/uploads/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      client_id: photo.id,
      sha256: photo.sha256,
      size: photo.size,
      kind: "PHOTO",
      role: photo.role,
      subject_kind: "visit",
      subject: photo.visit,
      file_name: photo.name,
      captured_at: photo.taken_at,
      device_at: now(),
      lon,
      lat,
      accuracy_m: accuracy,
      annotation: photo.strokes?.length ? { shapes: photo.strokes } : null,
    }),
  });
  let said = await answerOf(declared, photo);
  if (!said) return;
  let { upload, offset } = said;
  while (!said.receipt) {
    const piece = photo.blob.slice(offset, offset + Math.min(said.piece ?? PIECE, PIECE));
    const sent = await call(upload, {
      method: "PATCH",
      headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) },
      body: piece,
    });
    if (sent.status === 409 && sent.headers.get("Upload-Offset")) {
      offset = Number(sent.headers.get("Upload-Offset"));
      if (offset < photo.size) continue;
    }
    if (sent.status === 204) {
      offset = Number(sent.headers.get("Upload-Offset"));
      progress.set(photo.id, offset);
      tell();
      continue;
    }
    said = await answerOf(sent, photo);
    if (!said) return;
  }
  progress.delete(photo.id);
  await store.change("photos", photo.id, () => ({ receipt: said.receipt, problem: null }));
};

/** What the server says of a file; null if it refused it, which is then told with the photo. */
const answerOf = async (answer, photo) => {
  const said = await answer.json().catch(() => ({}));
  if (answer.ok && said.state !== "refused") return said;
  if (answer.status === 404 && !said.type) throw new Unreachable("no place for photos");
  if (answer.status === 429) throw new Unreachable("429");
  const problem = { code: said.type ?? said.refusal, message: said.title ?? said.refusal ?? String(answer.status), remedy: said.detail ?? "" };
  await store.change("photos", photo.id, () => ({ problem }));
  return null;
};

export const retryPhoto = async (id) => {
  await store.change("photos", id, () => ({ problem: null }));
  return send();
};

// submission ---------------------------------------------------------------------------------------------------

const submitWanted = async () => {
  for (const visit of await store.all("visits")) {
    if (!visit.submit || !visit.opened) continue;
    const entries = await store.ofVisit("entries", visit.id);
    const photos = await store.ofVisit("photos", visit.id);
    if (entries.some((each) => each.dirty || each.change) || photos.some((each) => !each.receipt && !each.problem)) continue;
    if (photos.some((each) => each.receipt?.same_as?.length && !visit.known?.includes(each.id))) {
      await store.change("visits", visit.id, () => ({ submit: false })); // shown side by side first; the person decides
      tell();
      continue;
    }
    const answer = await call(`/visits/${visit.id}/submit/`, { method: "POST" });
    const told = await answer.json();
    if (told.state === undefined) {
      await store.change("visits", visit.id, () => ({ submit: false, missing: [{ is_hard: true, message: told.title, remedy: told.detail }] }));
      continue;
    }
    await store.change("visits", visit.id, (now) => ({
      submit: false,
      state: told.state,
      visit_no: told.visit_no,
      service: told.service,
      missing: told.missing,
      problems: told.problems,
      revision: now.revision,
    }));
    tell();
  }
};
