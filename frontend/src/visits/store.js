// What the device keeps: everything recorded goes here first. Each row belongs to an account; nobody else sees it.
import { openDB } from "idb";

const STORES = ["bundles", "visits", "entries", "photos", "drafts"];
let opened;
const base = () =>
  (opened ??= openDB("anze-visits", 1, {
    upgrade(made) {
      for (const name of STORES) {
        const store = made.createObjectStore(name, { keyPath: "key" });
        store.createIndex("account", "account");
        if (name === "entries" || name === "photos") store.createIndex("visit", ["account", "visit"]);
      }
    },
    terminated() {
      opened = undefined;
    },
  }));

export const full = new EventTarget();

/** Whose rows are read and written. Kept on the device, so that the app opens without a network. */
export const account = {
  get: () => JSON.parse(localStorage.getItem("anze-visits-account") ?? "null"),
  set: (known) => localStorage.setItem("anze-visits-account", JSON.stringify(known)),
  // he signed out himself: his rows stay, and stay closed until he signs in again
  isLocked: () => localStorage.getItem("anze-visits-locked") === "1",
  lock: (on) => (on ? localStorage.setItem("anze-visits-locked", "1") : localStorage.removeItem("anze-visits-locked")),
};
const mine = () => account.get()?.id ?? "";
const keyOf = (id) => `${mine()}/${id}`;

export const get = async (store, id) => (await base()).get(store, keyOf(id));
export const all = async (store) => (await base()).getAllFromIndex(store, "account", mine());
export const ofVisit = async (store, visit) => (await base()).getAllFromIndex(store, "visit", [mine(), visit]);

const isFull = (problem) => problem?.name === "QuotaExceededError" || problem?.inner?.name === "QuotaExceededError";

/** Write rows, all or none. When the device is full, originals that have their receipt make room first. */
export const put = async (store, ...rows) => {
  const stamped = rows.map((row) => ({ ...row, account: row.account ?? mine(), key: row.key ?? keyOf(row.id) }));
  const write = async () => {
    const transaction = (await base()).transaction(store, "readwrite", { durability: "strict" });
    await Promise.all([...stamped.map((row) => transaction.store.put(row)), transaction.done]);
  };
  try {
    await write();
  } catch (problem) {
    if (!isFull(problem)) throw problem;
    if (!(await makeRoom())) {
      full.dispatchEvent(new Event("full"));
      throw problem;
    }
    await write();
  }
  return stamped[0];
};

export const drop = async (store, id) => (await base()).delete(store, keyOf(id));

/** Forget the originals of photos whose receipt is here; the server has them. */
const makeRoom = async () => {
  const known = (await (await base()).getAll("photos")).filter((each) => each.receipt && each.blob);
  for (const each of known) await (await base()).put("photos", { ...each, blob: null });
  return known.length;
};

/** Change one row with what stands in it now, in one transaction, so that two tabs do not undo each other. */
export const change = async (store, id, make) => {
  const transaction = (await base()).transaction(store, "readwrite", { durability: "strict" });
  const before = await transaction.store.get(keyOf(id));
  const after = before && make(before);
  if (after) await transaction.store.put({ ...before, ...after });
  await transaction.done;
  return after ? { ...before, ...after } : before;
};

/** How much unsent work lies here of others than the present person. */
export const unsentOfOthers = async () => {
  const entries = await (await base()).getAll("entries");
  const photos = await (await base()).getAll("photos");
  return (
    entries.filter((each) => each.account !== mine() && (each.dirty || each.change)).length +
    photos.filter((each) => each.account !== mine() && !each.receipt && !each.problem).length
  );
};

export const unsent = async () => {
  const entries = (await all("entries")).filter((each) => each.dirty || each.change);
  const photos = (await all("photos")).filter((each) => !each.receipt);
  return { entries, photos, count: entries.length + photos.length };
};

export const askToPersist = () => navigator.storage?.persist?.().catch(() => false);
