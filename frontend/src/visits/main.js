// The phone app for visits on site: what is shown where, and when it sends.
import { ask, button, field, h, icon, kilobytes, language, moment, say, show, state, t, today } from "./dom.js";
import * as forms from "./forms.js";
import { entriesOf, newId, onChange, pick, pictureOf, remove, sentBefore } from "./record.js";
import { scan } from "./scan.js";
import * as store from "./store.js";
import { bundle, link, progress, retryPhoto, send } from "./sync.js";

const STATE_TONES = { OPEN: "info", FINISHED: "warning", SUBMITTED: "warning", DELIVERED: "success", RETURNED: "danger" };
const root = document.getElementById("phone");

// the mark at the upper right: how things stand, and the way to the queue ---------------------------------------

let waiting = 0;
const badge = () => {
  const words = { online: waiting ? t("waiting_n", { count: waiting }) : t("all_sent"), sending: t("sending"), offline: t("offline_n", { count: waiting }), "signed-out": t("sign_in_to_send"), forbidden: t("not_for_you") };
  const tone = link.state === "online" && !waiting ? "success" : link.state === "signed-out" || link.state === "forbidden" ? "danger" : "info";
  return h("a", { href: "#/queue", class: `phone-badge phone-badge-${tone}`, "data-link": link.state, "data-waiting": String(waiting) }, icon("cloud-upload"), h("span", {}, words[link.state]));
};
root.badge = badge;
const refreshBadge = async () => {
  waiting = store.account.get() ? (await store.unsent()).count : 0;
  document.querySelector(".phone-badge")?.replaceWith(badge());
};

// today ----------------------------------------------------------------------------------------------------

const rowsOf = async () => {
  const known = await bundle();
  const rows = new Map((known?.visits ?? []).map((each) => [each.id, { ...each }]));
  for (const visit of await store.all("visits")) {
    const row = rows.get(visit.id);
    if (row) row.state = visit.state ?? (visit.opening ? "OPEN" : row.state);
    else if (visit.opening || visit.row) rows.set(visit.id, { ...visit.row, id: visit.id, state: visit.state ?? "OPEN", open_hazards: [], experts: [] });
    if (visit.opening && known) {
      const kept = rows.get(visit.id);
      if (!visit.row && kept?.enterprise) await store.change("visits", visit.id, () => ({ row: kept }));
    }
  }
  return [...rows.values()].sort((a, b) => (a.planned_on + a.id < b.planned_on + b.id ? -1 : 1));
};
const rowOf = async (id) => (await rowsOf()).find((each) => each.id === id);
const nameOf = (known, row) => known?.enterprises?.[row.enterprise]?.name ?? row.enterprise_name ?? t("enterprise");

const card = (known, row) =>
  h("a", { class: "card phone-card", href: `#/visit/${row.id}`, "data-order": row.order_no }, h("div", { class: "card-body" },
    h("div", { class: "d-flex justify-content-between gap-2" }, h("strong", {}, nameOf(known, row)), row.state ? state(known?.choices.state[row.state] ?? row.state, STATE_TONES[row.state]) : null),
    h("div", { class: "text-secondary" }, known?.enterprises?.[row.enterprise]?.address ?? ""),
    h("div", { class: "small text-secondary" }, [row.planned_on, known?.choices.service_type[row.service_type], row.open_hazards?.length ? t("open_hazards_n", { count: row.open_hazards.length }) : ""].filter(Boolean).join(" · "))));

const home = async () => {
  const known = await bundle();
  const rows = await rowsOf();
  const day = today();
  const groups = [
    [t("unfinished"), rows.filter((each) => each.planned_on < day && each.state !== "DELIVERED")],
    [t("today"), rows.filter((each) => each.planned_on === day)],
    [t("coming"), rows.filter((each) => each.planned_on > day)],
    [t("on_file"), rows.filter((each) => each.planned_on < day && each.state === "DELIVERED")],
  ];
  const others = await store.unsentOfOthers();
  show(t("title"), null,
    link.state === "signed-out" ? h("div", { class: "alert alert-warning", role: "status" }, h("div", {}, t("sign_in_why", { count: waiting }), " ", h("a", { class: "alert-link", href: signIn() }, t("sign_in")))) : null,
    others ? h("div", { class: "alert alert-info", role: "status" }, t("others_work", { count: others })) : null,
    button(t("scan"), () => (location.hash = "#/scan"), { look: "btn-primary w-100 mb-3", mark: "qrcode" }),
    rows.length ? null : h("p", { class: "phone-empty" }, known ? t("no_visits") : t("first_online")),
    groups.filter(([, list]) => list.length).map(([title, list]) => [h("h2", { class: "phone-section" }, title), list.map((each) => card(known, each))]),
    h("div", { class: "phone-foot" },
      h("div", {}, [...new Set([store.account.get()?.name, store.account.get()?.organisation])].filter(Boolean).join(" · ")),
      h("div", { class: "phone-row" },
        button(language() === "en" ? "中文" : "English", switchLanguage, { look: "btn-ghost-secondary" }),
        button(t("large_text"), largeText, { look: "btn-ghost-secondary", mark: "text-size" }),
        button(t("refresh"), () => send(true), { look: "btn-ghost-secondary", mark: "refresh" }),
        button(t("sign_out"), signOut, { look: "btn-ghost-secondary", mark: "logout" }),
        h("a", { class: "btn btn-lg btn-ghost-secondary", href: "/" }, t("platform")))));
};

const signIn = () => `${root.dataset.signIn}?next=${encodeURIComponent("/visits/")}`;
const switchLanguage = async () => {
  document.cookie = `language=${language() === "en" ? "zh-hans" : "en"}; path=/; max-age=31536000; samesite=lax`;
  document.documentElement.lang = language() === "en" ? "en" : "zh-Hans";
  await send(true);
  draw();
};
const largeText = () => {
  const on = document.documentElement.dataset.text !== "large";
  document.documentElement.dataset.text = on ? "large" : "";
  localStorage.setItem("anze-text", on ? "large" : "");
};
const signOut = async () => {
  if (waiting && (await ask(t("sign_out_why", { count: waiting }), [["go", t("sign_out"), "btn-warning"], ["stay", t("stay"), ""]])) !== "go") return;
  store.account.lock(true);
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";
  await fetch(root.dataset.signOut, { method: "POST", redirect: "manual", headers: { "X-CSRFToken": token } }).catch(() => null);
  link.state = "signed-out";
  draw();
};
const locked = async () => {
  const others = await store.unsentOfOthers();
  const mine = (await store.unsent()).count;
  show(t("title"), null, h("div", { class: "phone-empty" }, icon("lock"), h("p", {}, t("locked")),
    mine + others ? h("p", {}, t("locked_kept", { count: mine + others })) : null,
    h("a", { class: "btn btn-lg btn-primary w-100", href: signIn() }, t("sign_in"))));
};

// one visit ------------------------------------------------------------------------------------------------

const tile = (text, href, mark, note, tone = "") =>
  h("a", { class: "phone-tile", href }, icon(mark), h("span", { class: "phone-tile-text" }, text), note !== "" && note !== null ? h("span", { class: `phone-tile-note ${tone}` }, String(note)) : null);

/** A photo that was sent before, beside the earlier one: whoever is about to submit it shall see both. */
const same = async (photo) => {
  const [before] = photo.receipt.same_as;
  const here = (await pictureOf(photo.id)) ?? `/evidence/media/${photo.receipt.id}/small.jpg`;
  const side = (source, words) => h("figure", { class: "m-0" }, h("img", { src: source, alt: words, loading: "lazy" }), h("figcaption", { class: "small" }, words));
  return h("div", { class: "card phone-conflict", "data-same": photo.id, role: "status" }, h("div", { class: "card-body" },
    h("strong", {}, t("seen_before")),
    h("div", { class: "phone-two mt-2" },
      side(here, t("same_now")),
      h("a", { href: before.url }, side(`${before.url}small.jpg`, t("same_before", { time: moment(before.received_at) }))))));
};

const visitScreen = async (id) => {
  const known = await bundle();
  const row = await rowOf(id);
  if (!row) return show(t("visit"), "#/", h("p", { class: "phone-empty" }, t("no_such_visit")));
  const here = await store.get("visits", id);
  const entries = await entriesOf(id);
  const of = (kind) => entries.filter((each) => each.kind === kind);
  const company = known?.enterprises?.[row.enterprise] ?? {};
  const begun = of("START").length > 0;
  const ended = of("END").length > 0;
  const closed = ["SUBMITTED", "DELIVERED"].includes(here?.state);
  const base = `#/visit/${id}`;
  const start = of("START")[0];
  const place = start?.payload.position;
  const photosCount = entries.reduce((sum, each) => sum + (each.payload.photos?.length ?? 0), 0);
  const twice = closed ? [] : await Promise.all((await sentBefore(id)).map(same));
  const signed = (side) => (of("SIGNATURE").some((each) => each.payload.of === side) ? "✓" : "–");
  show(nameOf(known, row), "#/",
    h("div", { class: "mb-3" },
      h("div", {}, company.address ?? ""),
      company.contact_name ? h("div", {}, `${t("contact")} ${company.contact_name} `, company.contact_phone ? h("a", { href: `tel:${company.contact_phone}` }, company.contact_phone) : null) : null,
      h("div", { class: "text-secondary small" }, [row.insurer_name, row.order_no, known?.choices.service_type[row.service_type], row.planned_on].filter(Boolean).join(" · ")),
      row.scope ? h("div", {}, row.scope) : null,
      row.last_service ? h("div", { class: "small text-secondary" }, t("last_visit", { day: row.last_service.performed_on, count: row.last_service.hazards_found })) : null),
    row.gate?.day === today() && !closed ? button(t("my_code"), () => showCode(row.gate), { look: "btn-outline-primary w-100 mb-2", mark: "id-badge" }) : null,
    here?.problem ? h("div", { class: "alert alert-danger" }, h("div", {}, `${here.problem.message} ${here.problem.remedy}`)) : null,
    here?.return_reason && here.state === "RETURNED" ? h("div", { class: "alert alert-warning" }, t("returned_because", { reason: here.return_reason })) : null,
    ...(here?.versions ?? []).map((each) => conflict(each, entries, known)),
    here?.state === "DELIVERED" ? h("div", { class: "alert alert-success" }, h("div", {}, t("is_on_file", { number: here.visit_no }))) : null,
    here?.problems?.length ? h("div", { class: "alert alert-danger" }, h("ul", { class: "mb-0" }, here.problems.map((each) => h("li", {}, `${each.message} ${each.remedy}`)))) : null,
    begun
      ? h("p", {}, state(t("begun_at", { time: moment(start.made_at) }), "success"), " ",
          place?.lon != null ? state(t("accuracy", { metres: Math.round(place.accuracy ?? 0) }), "info") : state(t(`position_${place?.refused || "unavailable"}`), "warning"))
      : button(t("begin"), () => forms.begin(id, row), { look: "btn-success w-100 mb-3", mark: "map-pin" }),
    begun ? h("div", { class: "phone-tiles" },
      tile(t("people"), `${base}/people`, "users", of("PERSON").length),
      tile(t("recheck"), `${base}/recheck`, "history", `${of("RECHECK").length}/${row.open_hazards?.length ?? 0}`),
      tile(t("checklist"), `${base}/checklist`, "checklist", of("ANSWER").length),
      tile(t("photos"), `${base}/photos`, "camera", photosCount),
      tile(t("notes"), `${base}/notes`, "note", of("NOTE").length),
      tile(t("sign_expert"), `${base}/sign/EXPERT`, "signature", signed("EXPERT")),
      tile(t("sign_enterprise"), `${base}/sign/ENTERPRISE`, "writing", signed("ENTERPRISE"))) : null,
    begun ? [
      h("h2", { class: "phone-section" }, t("findings")),
      of("FINDING").map((each) => h("a", { class: "card phone-card", href: `${base}/finding/${each.id}` }, h("div", { class: "card-body" },
        h("strong", {}, each.payload.description), each.payload.hazard_class === "MAJOR" ? h("span", { class: "badge bg-danger-lt ms-2" }, t("major")) : null,
        h("div", { class: "small text-secondary" }, `${t("deadline")} ${each.payload.deadline_on} · ${t("photos_n", { count: each.payload.photos?.length ?? 0 })}`),
        each.problem ? h("div", { class: "text-danger" }, `${each.problem.message} ${each.problem.remedy}`) : null))),
      of("NIL").map((each) => h("div", { class: "card phone-card" }, h("div", { class: "card-body d-flex justify-content-between" }, h("strong", {}, t("nil_stated")),
        button(t("take_back"), async () => { await remove(each.id); send(); }, { look: "btn-sm btn-ghost-secondary" })))),
      closed ? null : button(t("new_finding"), () => (location.hash = `${base}/finding/new`), { look: "btn-danger w-100 mb-2", mark: "alert-triangle" }),
      closed || of("FINDING").length || of("NIL").length ? null : button(t("nothing_found"), () => forms.nil(id), { look: "btn-outline-secondary w-100 mb-3", mark: "circle-check" }),
    ] : null,
    begun && !closed ? [
      ended ? h("p", {}, state(t("ended_at", { time: moment(of("END").at(-1).made_at) }), "success")) : button(t("finish"), () => forms.finish(id), { look: "btn-primary w-100 mb-2", mark: "flag" }),
      here?.missing?.length ? h("div", { class: "alert alert-warning" }, h("ul", { class: "mb-0" }, here.missing.map((each) => h("li", {}, h("strong", {}, each.is_hard ? t("needed") : t("advised")), ` ${each.message} ${each.remedy}`)))) : null,
      twice,
      ended ? button(here?.submit ? t("submits_later") : t("submit"), () => forms.submit(id), { look: "btn-success w-100", mark: "send" }) : null,
    ] : null);
};

/** The code that shows at the gate who sent the expert; made by the server, shown without a network. */
const showCode = (gate) => {
  const dialog = h("dialog", { class: "phone-ask" }, h("img", { class: "phone-code", src: gate.code, alt: t("my_code") }), h("p", {}, t("my_code_why", { day: gate.day })));
  dialog.append(button(t("done"), () => dialog.close(), { look: "btn-primary w-100" }));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
};

const words = (payload) =>
  (payload.position ? (payload.position.lon != null ? `${payload.position.lat}, ${payload.position.lon}` : t(`position_${payload.position.refused || "unavailable"}`)) : null) ??
  (payload.photos && !payload.description && !payload.answer && !payload.result ? t("photos_n", { count: payload.photos.length }) : null) ??
  (payload.of ? payload.name : null) ??
  payload.description ?? payload.text ?? payload.name ?? (payload.answer ? `${t("item")} ${payload.item}: ${payload.answer}` : payload.result ? payload.result : payload.looked_at || "");

const conflict = (version, entries, known) => {
  const present = entries.find((each) => each.id === version.entry);
  return h("div", { class: "card phone-conflict", role: "alert" }, h("div", { class: "card-body" },
    h("strong", {}, version.outcome === "LATE" ? t("came_late") : t("two_versions", { kind: known?.choices.kind[version.kind] ?? "" })),
    h("div", { class: "mt-2" }, h("span", { class: "subheader" }, t("stands_now"), " ", present?.by ?? ""), h("div", {}, present ? words(present.payload) : t("removed"))),
    h("div", { class: "mt-2" }, h("span", { class: "subheader" }, version.by), h("div", {}, version.removed ? t("removed") : words(version.payload))),
    version.outcome === "LATE" ? h("p", { class: "small text-secondary" }, t("late_why")) : h("div", { class: "phone-row mt-2" },
      button(t("keep_now"), () => settle(version, present, false), { look: "btn-outline-primary" }),
      button(t("take_other"), () => settle(version, present, true), { look: "btn-primary" }))));
};
const settle = async (version, present, takeOther) => {
  const entry = present ?? (await store.get("entries", version.entry));
  const others = ((await store.get("visits", entry.visit))?.versions ?? []).filter((each) => each.entry === version.entry).map((each) => each.id);
  const settles = takeOther ? others : [version.id];
  await pick(entry, takeOther ? version.payload : entry.payload, takeOther ? version.removed : entry.removed, settles);
  await store.change("visits", entry.visit, (visit) => ({ versions: visit.versions.filter((each) => !settles.includes(each.id)), revision: 0 }));
  await send();
};

// the queue ------------------------------------------------------------------------------------------------

const queue = async () => {
  const known = await bundle();
  const { entries, photos } = await store.unsent();
  const refused = (await store.all("entries")).filter((each) => each.problem && !each.dirty);
  const done = (await store.all("photos")).filter((each) => each.receipt);
  const estimate = await navigator.storage?.estimate?.();
  show(t("queue"), "#/",
    h("p", {}, link.at ? t("last_sent", { time: moment(link.at) }) : t("never_sent"), Math.abs(link.offset) > 60000 ? ` ${t("clock_off", { count: Math.round(-link.offset / 60000) })}` : ""),
    link.state === "signed-out" ? h("a", { class: "btn btn-lg btn-warning w-100 mb-3", href: signIn() }, t("sign_in_to_send")) : button(t("send_now"), () => send(true), { look: "btn-primary w-100 mb-3", mark: "send" }),
    entries.length + photos.length + refused.length ? null : h("p", { class: "phone-empty" }, t("queue_empty")),
    refused.map((each) => h("div", { class: "card phone-item" }, h("div", { class: "card-body" }, state(t("refused"), "danger"), h("div", {}, `${known?.choices.kind[each.kind] ?? each.kind}: ${words(each.payload)}`), h("div", {}, `${each.problem.message} ${each.problem.remedy}`),
      button(t("send_again"), async () => { await store.change("entries", each.id, () => ({ dirty: true, problem: null })); send(); }, { look: "btn-outline-primary" })))),
    entries.map((each) => h("div", { class: "card phone-item" }, h("div", { class: "card-body d-flex justify-content-between" }, h("span", {}, `${known?.choices.kind[each.kind] ?? each.kind}: ${words(each.payload).slice(0, 60)}`), state(each.change && link.state === "sending" ? t("sending") : t("waiting"), "info")))),
    photos.map((each) => h("div", { class: "card phone-item", "data-photo": each.problem ? "refused" : "waiting" }, h("div", { class: "card-body" },
      h("div", { class: "d-flex justify-content-between" }, h("span", {}, `${t("photo")} ${moment(each.taken_at)} · ${kilobytes(each.size)}`), state(each.problem ? t("refused") : t("waiting"), each.problem ? "danger" : "info")),
      progress.has(each.id) ? h("progress", { max: each.size, value: progress.get(each.id), class: "w-100", "aria-label": t("progress") }) : null,
      each.problem ? [h("div", {}, `${each.problem.message} ${each.problem.remedy}`), button(t("send_again"), () => retryPhoto(each.id), { look: "btn-outline-primary" })] : null))),
    done.length ? [h("h2", { class: "phone-section" }, t("receipts")), done.map((each) => h("div", { class: "card phone-item", "data-photo": "received" }, h("div", { class: "card-body" },
      h("div", { class: "d-flex justify-content-between" }, h("span", {}, `${t("photo")} ${moment(each.taken_at)} · ${kilobytes(each.size)}`), state(t("received"), "success")),
      h("div", { class: "small text-secondary" }, `${moment(each.receipt.received_at)} · SHA-256 ${each.sha256.slice(0, 12)}…`),
      each.receipt.same_as?.length ? h("div", { class: "text-warning" }, t("seen_before")) : null)))] : null,
    estimate?.quota ? h("p", { class: "small text-secondary mt-3" }, t("space", { used: kilobytes(estimate.usage), quota: kilobytes(estimate.quota) })) : null);
};

// a visit without an order, or by the enterprise's code ---------------------------------------------------------

const scanScreen = async () => {
  const known = await bundle();
  const found = (code) => {
    const uscc = code.match(/[0-9A-HJ-NP-RTUW-Y]{18}/)?.[0];
    const key = Object.keys(known?.enterprises ?? {}).find((id) => code.includes(id) || (uscc && known.enterprises[id].uscc === uscc));
    return key ? openAt(key) : say(t("code_unknown"), "danger");
  };
  const openAt = async (enterprise) => {
    const row = (await rowsOf()).find((each) => each.enterprise === enterprise && each.state !== "DELIVERED");
    if (row) return (location.hash = `#/visit/${row.id}`);
    const place = known.places.find((each) => each.enterprise === enterprise);
    if (!place) return say(t("no_order_here"), "danger");
    const kind = await ask(t("which_service"), [...Object.entries(known.choices.service_type), ["", t("stay"), "btn-ghost-secondary"]]);
    if (!kind) return;
    const id = newId();
    const made = { id, policy: place.policy, policy_no: place.policy_no, enterprise, enterprise_name: known.enterprises[enterprise].name, service_type: kind, planned_on: today(), sector: known.enterprises[enterprise].sector };
    await store.put("visits", { id, row: made, opening: { id, order: null, policy: place.policy, service_type: kind, checklist: "", checklist_version: null }, opened: false });
    location.hash = `#/visit/${id}`;
  };
  const list = h("div", { class: "list-group" });
  const typed = h("input", { type: "search", class: "form-control form-control-lg", oninput: () => fill() });
  const fill = () => {
    const wanted = typed.value.trim();
    const fitting = Object.entries(known?.enterprises ?? {}).filter(([, each]) => !wanted || each.name.includes(wanted) || each.uscc.includes(wanted.toUpperCase()));
    list.replaceChildren(fitting.length ? "" : h("div", { class: "text-secondary p-2" }, t("none_to_pick")), ...fitting.slice(0, 30)
      .map(([id, each]) => h("button", { type: "button", class: "list-group-item list-group-item-action", onclick: () => openAt(id) }, h("strong", {}, each.name), h("div", { class: "small text-secondary" }, each.uscc))));
  };
  fill();
  show(t("scan"), "#/", await scan(found), field(t("type_or_pick"), typed), list);
};

// ------------------------------------------------------------------------------------------------------------

const ROUTES = [
  [/^#\/visit\/([0-9a-f-]{36})$/, visitScreen],
  [/^#\/visit\/([0-9a-f-]{36})\/finding\/([0-9a-f-]{36}|new)$/, forms.finding],
  [/^#\/visit\/([0-9a-f-]{36})\/checklist$/, forms.checklist],
  [/^#\/visit\/([0-9a-f-]{36})\/people$/, forms.people],
  [/^#\/visit\/([0-9a-f-]{36})\/recheck$/, forms.recheck],
  [/^#\/visit\/([0-9a-f-]{36})\/photos$/, forms.photos],
  [/^#\/visit\/([0-9a-f-]{36})\/notes$/, forms.notes],
  [/^#\/visit\/([0-9a-f-]{36})\/sign\/(EXPERT|ENTERPRISE)$/, forms.sign],
  [/^#\/queue$/, queue],
  [/^#\/scan$/, scanScreen],
];
const LIVE = [visitScreen, queue, home]; // drawn again whenever something changes; forms are not

// One drawing after the other: each looks at the address when its turn comes, so that a slow one that was
// begun for the last screen can never come to lie over the one that was opened meanwhile.
let last = Promise.resolve();
const inTurn = (work) => (last = last.catch(() => null).then(work));
const draw = () => inTurn(drawNow);
const drawLive = () => inTurn(() => LIVE.includes(viewOf()[0]) && !document.querySelector("dialog[open]") && drawNow());
const viewOf = () => {
  const found = ROUTES.map(([pattern, view]) => [view, location.hash.match(pattern)]).find(([, match]) => match);
  return found ? [found[0], found[1].slice(1)] : [home, []];
};
const drawNow = async () => {
  for (const stop of document.querySelectorAll("video")) stop.srcObject?.getTracks().forEach((each) => each.stop());
  if (store.account.isLocked() || (!store.account.get() && link.state === "signed-out")) return locked();
  const [view, words] = viewOf();
  await view(...words);
};
root.draw = draw;

let due;
onChange(() => {
  clearTimeout(due);
  due = setTimeout(async () => {
    await refreshBadge();
    const scroll = scrollY;
    await drawLive();
    scrollTo(0, scroll);
  }, 60);
});
addEventListener("hashchange", () => { draw(); scrollTo(0, 0); });
addEventListener("online", () => send(true));
addEventListener("offline", () => { link.state = "offline"; refreshBadge(); });
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && send());
setInterval(() => document.visibilityState === "visible" && (waiting || link.state !== "online") && send(), 20_000);
store.full.addEventListener("full", () => say(t("device_full"), "danger"));
addEventListener("unhandledrejection", ({ reason }) => say(reason?.name === "QuotaExceededError" ? t("device_full") : String(reason?.message ?? reason), "danger"));
document.documentElement.lang = language() === "en" ? "en" : "zh-Hans";

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/visits/worker.js", { scope: "/visits/" }).catch((problem) => console.warn(problem.message));
  navigator.serviceWorker.addEventListener("message", ({ data }) => data === "send" && send());
}

const begin = async () => {
  await refreshBadge();
  await draw();
  await send(true);
  await refreshBadge();
  await drawLive();
};
begin();
