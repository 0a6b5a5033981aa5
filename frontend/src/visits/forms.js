// The forms of a visit: finding, checklist, people, rechecks, signatures, and the end.
import { ask, button, field, h, icon, redraw, say, show, state, t, today } from "./dom.js";
import { signaturePad, surely } from "./draw.js";
import { photoStrip } from "./photos.js";
import { derivedId, entriesOf, personId, position, record, remove, sentBefore } from "./record.js";
import * as store from "./store.js";
import { bundle, send } from "./sync.js";

const to = (visit, rest = "") => `#/visit/${visit}${rest}`;
const go = (where) => (location.hash = where);
/** Back to the visit when the work is done, unless the person has meanwhile gone on by himself. */
const backTo = async (visit, work) => {
  const here = location.hash;
  await work();
  if (location.hash === here) go(to(visit));
};

/** A draft is on the device with every letter typed: a crash loses none. */
const draftOf = async (id, fresh) => (await store.get("drafts", id))?.content ?? fresh;
const keepDraft = (id, content) => store.put("drafts", { id, content }).catch(() => say(t("device_full"), "danger"));

const text = (draft, name, keep, words = {}) =>
  h(words.rows ? "textarea" : "input", {
    class: "form-control form-control-lg",
    value: draft[name] ?? "",
    maxlength: 500,
    ...words,
    oninput: ({ target }) => { draft[name] = target.value; keep(); },
  });

const select = (choices, value, onchange) =>
  h("select", { class: "form-select form-select-lg", onchange: ({ target }) => onchange(target.value) },
    Object.entries(choices).map(([code, label]) => h("option", { value: code, selected: code === value }, label)));

const packOf = async (visit) => {
  const known = await bundle();
  const here = await store.get("visits", visit);
  return known?.packs?.[here?.pack ?? known?.checklists?.[visit]] ?? null;
};

/** Days to rectify by class where the visit is, when neither the library nor the expert says another number. */
const rectifyDays = async (visit) => {
  const known = await bundle();
  const row = known?.visits.find((each) => each.id === visit) ?? (await store.get("visits", visit))?.row;
  return known?.enterprises?.[row?.enterprise]?.rectify_days ?? {};
};

const inDays = (days) => {
  const day = new Date(Date.now() + days * 86_400_000);
  return day.toLocaleDateString("sv", { timeZone: "Asia/Shanghai" });
};

// finding --------------------------------------------------------------------------------------------------

const fits = (entry, words) => {
  const all = `${entry.wording} ${entry.place} ${entry.basis} ${entry.code} ${entry.keywords.join(" ")} ${entry.initials ?? ""}`.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => all.includes(word));
};

export const finding = async (visit, id) => {
  const stored = id && id !== "new" ? await store.get("entries", id) : null;
  const draftId = `finding-${visit}-${stored?.id ?? "new"}`;
  const draft = await draftOf(draftId, stored ? { ...structuredClone(stored.payload), isOwnDay: true } : { hazard_class: "GENERAL", description: "", photos: [] });
  draft.photos ??= [];
  const keep = () => keepDraft(draftId, draft);
  const pack = await packOf(visit);
  const days = await rectifyDays(visit);
  const place = h("div");
  const chosen = () => draft.description || draft.isFree;
  const choose = (entry) => {
    Object.assign(draft, {
      description: entry.wording, location: draft.location || entry.place, basis: entry.basis, advice: entry.advice,
      library_code: entry.code, criterion_code: entry.criterion, hazard_class: entry.suggested_class,
      deadline_on: inDays(entry.suggested_days),
    });
    keep();
    draw();
  };
  const library = () => {
    const list = h("div", { class: "list-group mb-3" });
    const search = h("input", {
      type: "search", class: "form-control form-control-lg mb-2", placeholder: t("search_library"), "aria-label": t("search_library"),
      oninput: () => fill(),
    });
    const fill = () => {
      const fitting = (pack?.hazards ?? []).filter((each) => !search.value.trim() || fits(each, search.value.trim()));
      list.replaceChildren(
        fitting.length ? "" : h("div", { class: "text-secondary p-2" }, t("none_in_library")),
        ...fitting.slice(0, 30).map((each) =>
          h("button", { type: "button", class: "list-group-item list-group-item-action", onclick: () => choose(each) },
            h("div", {}, each.wording, each.suggested_class === "MAJOR" ? h("span", { class: "badge bg-danger-lt ms-2" }, t("major")) : null),
            h("div", { class: "small text-secondary" }, `${each.place} · ${each.basis}`))),
      );
    };
    fill();
    return h("div", {}, search, list, button(t("free_finding"), () => { draft.isFree = true; keep(); draw(); }, { look: "btn-outline-primary w-100", mark: "pencil" }));
  };
  const usual = () => (days[draft.hazard_class] === undefined ? undefined : inDays(days[draft.hazard_class]));
  // a day the expert set himself stays; any other goes with the class
  const classify = (value) => {
    draft.hazard_class = value;
    if (!draft.isOwnDay) draft.deadline_on = usual() ?? draft.deadline_on;
    keep();
    draw();
  };
  const form = () => {
    draft.deadline_on ??= usual();
    return h("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); save(); } },
      field(t("what_found"), text(draft, "description", keep, { rows: 3, required: true })),
      field(t("class"), select({ GENERAL: t("general"), MAJOR: t("major") }, draft.hazard_class, classify),
        draft.library_code ? t("class_suggested") : ""),
      draft.hazard_class === "MAJOR"
        ? h("label", { class: "form-check" }, h("input", { type: "checkbox", class: "form-check-input", checked: !!draft.notified_principal, onchange: ({ target }) => { draft.notified_principal = target.checked; keep(); } }), h("span", { class: "form-check-label" }, t("principal_told")))
        : null,
      field(t("where"), text(draft, "location", keep, { maxlength: 200 })),
      field(t("deadline"), h("input", { type: "date", class: "form-control form-control-lg", min: today(), value: draft.deadline_on ?? "", onchange: ({ target }) => { draft.deadline_on = target.value; draft.isOwnDay = true; keep(); } })),
      field(t("owner"), text(draft, "owner", keep, { maxlength: 60 })),
      field(t("advice"), text(draft, "advice", keep, { rows: 2 })),
      draft.basis ? h("p", { class: "text-secondary" }, `${t("basis")}: ${draft.basis}`) : field(t("basis"), text(draft, "basis", keep)),
      h("button", { class: "btn btn-lg btn-success w-100 mb-2" }, icon("check"), h("span", {}, t("save_finding"))),
      stored
        ? button(t("remove"), async () => { if (await surely(t("surely_remove"))) await backTo(visit, async () => { await remove(stored.id); await store.drop("drafts", draftId); }); }, { look: "btn-outline-danger w-100", mark: "trash" })
        : button(t("choose_again"), () => { draft.description = ""; draft.isFree = false; draft.library_code = ""; keep(); draw(); }, { look: "btn-ghost-secondary w-100" }));
  };
  const save = async () => {
    if (!draft.description?.trim()) return say(t("say_what_found"), "danger");
    if (!draft.deadline_on) return say(t("say_deadline"), "danger");
    const { isFree, isOwnDay, ...payload } = draft;
    await guarded(async () => {
      await backTo(visit, async () => {
        await record(visit, "FINDING", payload, stored?.id);
        await store.drop("drafts", draftId);
        say(t("kept_here"));
      });
      send();
    });
  };
  const draw = () => place.replaceChildren(chosen() ? form() : library());
  draw();
  show(t("finding"), to(visit), photoStrip(visit, "HAZARD", draft.photos, () => keep()), place);
};

/** What cannot be kept is said plainly; what is on the screen stays there. */
export const guarded = async (work) => {
  try {
    return await work();
  } catch (problem) {
    say(problem?.name === "QuotaExceededError" ? t("device_full") : `${t("not_kept")} ${problem?.message ?? ""}`, "danger");
  }
};

// checklist ------------------------------------------------------------------------------------------------

export const checklist = async (visit) => {
  const pack = await packOf(visit);
  if (!pack) return show(t("checklist"), to(visit), h("p", { class: "phone-empty" }, t("no_checklist")));
  const given = {};
  for (const each of await entriesOf(visit, "ANSWER")) given[each.payload.item] = each;
  const items = Object.fromEntries(pack.items.map((each) => [each.seq, each]));
  const isShown = (item) =>
    item.shown_if === null || (given[item.shown_if]?.payload.answer === item.shown_if_answer && isShown(items[item.shown_if]));
  const main = show(t("checklist"), to(visit));
  const answer = async (item, words) => {
    const id = await derivedId(visit, "item", item.seq);
    const payload = { photos: [], note: "", ...given[item.seq]?.payload, item: item.seq, ...words };
    await guarded(async () => {
      await record(visit, "ANSWER", payload, id);
      given[item.seq] = { payload };
    });
    draw();
  };
  const choices = (item) =>
    item.answer === "YES_NO_NA"
      ? h("div", { class: "phone-row", role: "group", "aria-label": item.text },
          [["YES", t("yes"), "success"], ["NO", t("no"), "danger"], ["NA", t("na"), "secondary"]].map(([code, label, tone]) => {
            const on = given[item.seq]?.payload.answer === code;
            return button(label, () => answer(item, { answer: code }), { look: on ? `btn-${tone}` : `btn-outline-${tone}`, "aria-pressed": String(on) });
          }))
      : h("input", {
          class: "form-control form-control-lg", value: given[item.seq]?.payload.answer ?? "", maxlength: 200, "aria-label": item.text,
          ...(item.answer === "NUMBER" ? { inputmode: "decimal" } : {}), onchange: ({ target }) => answer(item, { answer: target.value }),
        });
  const suggested = (item) => {
    if (given[item.seq]?.payload.answer !== "NO" || !item.hazard) return null;
    const entry = pack.hazards.find((each) => each.code === item.hazard);
    return entry && button(t("record_as_finding"), async () => {
      await keepDraft(`finding-${visit}-new`, {
        photos: [], item: item.seq, description: entry.wording, location: entry.place, basis: entry.basis, advice: entry.advice,
        library_code: entry.code, criterion_code: entry.criterion, hazard_class: entry.suggested_class, deadline_on: inDays(entry.suggested_days),
      });
      go(to(visit, "/finding/new"));
    }, { look: "btn-outline-danger w-100 mt-2", mark: "alert-triangle" });
  };
  const draw = () => {
    const scroll = scrollY;
    const shown = pack.items.filter(isShown);
    const done = shown.filter((each) => given[each.seq]).length;
    let section = "";
    main.replaceChildren(
      h("p", { class: "text-secondary" }, `${pack.checklist.title} V${pack.checklist.version}`, pack.checklist.unverified ? ` · ${t("text_unverified")}` : ""),
      h("div", { class: "phone-progress" }, h("progress", { max: shown.length, value: done, "aria-label": t("progress") }), h("span", {}, `${done} / ${shown.length}`)),
      ...shown.flatMap((item) => {
        const head = item.section !== section ? h("h2", { class: "phone-section" }, (section = item.section)) : null;
        return [head, h("article", { class: "card phone-item" }, h("div", { class: "card-body" },
          h("p", { class: "phone-question" }, `${item.seq}. ${item.text}`), h("p", { class: "small text-secondary mb-2" }, item.basis), choices(item),
          item.needs_photo && given[item.seq] ? photoStrip(visit, "SITE", [...(given[item.seq].payload.photos ?? [])], (photos) => answer(item, { answer: given[item.seq].payload.answer, photos })) : null,
          suggested(item)))].filter(Boolean);
      }),
      button(t("done"), () => { send(); go(to(visit)); }, { look: "btn-primary w-100 mt-3" }),
    );
    scrollTo(0, scroll);
  };
  draw();
};

// people ---------------------------------------------------------------------------------------------------

export const people = async (visit) => {
  const known = await bundle();
  const row = known?.visits.find((each) => each.id === visit);
  const me = store.account.get();
  const draftId = `person-${visit}`;
  const draft = await draftOf(draftId, { role: "ENTERPRISE", name: "", post: "" });
  const keep = () => keepDraft(draftId, draft);
  const here = await entriesOf(visit, "PERSON");
  const names = new Set(here.map((each) => each.payload.name));
  const add = (payload) => guarded(async () => {
    await record(visit, "PERSON", payload, await personId(visit, payload));
    await store.drop("drafts", draftId);
    await redraw();
    send();
  });
  const proposals = [
    { role: me.role, name: me.name, expert_number: me.expert_number ?? "", post: me.post ?? "" },
    ...(row?.experts ?? []).map((each) => ({ role: "EXPERT", ...each })),
  ].filter((each, n, list) => each.name && !names.has(each.name) && list.findIndex((other) => other.name === each.name) === n);
  const contact = known?.enterprises[row?.enterprise]?.contact_name;
  if (contact && !names.has(contact)) proposals.push({ role: "ENTERPRISE", name: contact, post: "" });
  show(t("people"), to(visit),
    here.length ? h("div", { class: "list-group mb-3" }, here.map((each) =>
      h("div", { class: "list-group-item d-flex justify-content-between align-items-center" },
        h("div", {}, h("strong", {}, each.payload.name), h("div", { class: "small text-secondary" }, `${known?.choices.role[each.payload.role] ?? ""} ${each.payload.post ?? ""}`)),
        h("button", { type: "button", class: "btn btn-icon btn-lg btn-ghost-secondary", "aria-label": t("remove"), onclick: async () => { if (await surely(t("surely_remove"))) { await remove(each.id); await redraw(); send(); } } }, icon("trash"))))) : null,
    proposals.map((each) => button(`${t("add")}: ${each.name}`, () => add(each), { look: "btn-outline-primary w-100 mb-2", mark: "user-plus" })),
    h("h2", { class: "phone-section" }, t("somebody_else")),
    field(t("role"), select(known?.choices.role ?? {}, draft.role, (value) => { draft.role = value; keep(); })),
    field(t("name"), text(draft, "name", keep, { maxlength: 60, autocomplete: "off" })),
    field(t("post"), text(draft, "post", keep, { maxlength: 60 })),
    button(t("add"), () => (draft.name.trim() ? add({ ...draft, name: draft.name.trim() }) : say(t("say_name"), "danger")), { look: "btn-primary w-100", mark: "plus" }));
};

// rechecks, photos, notes ------------------------------------------------------------------------------------

export const recheck = async (visit) => {
  const known = await bundle();
  const row = known?.visits.find((each) => each.id === visit);
  const given = {};
  for (const each of await entriesOf(visit, "RECHECK")) given[each.payload.hazard] = each;
  const answer = (hazard, words) => guarded(async () => {
    const payload = { note: "", photos: [], ...given[hazard.id]?.payload, hazard: hazard.id, ...words };
    if (!payload.result) return;
    await record(visit, "RECHECK", payload, await derivedId(visit, "hazard", hazard.id));
    await redraw();
    send();
  });
  show(t("recheck"), to(visit),
    (row?.open_hazards ?? []).length ? row.open_hazards.map((each) => {
      const said = given[each.id]?.payload;
      return h("article", { class: "card phone-item" }, h("div", { class: "card-body" },
        h("p", { class: "phone-question" }, each.description, each.hazard_class === "MAJOR" ? h("span", { class: "badge bg-danger-lt ms-2" }, t("major")) : null),
        h("p", { class: "small text-secondary" }, `${each.location} · ${t("found_on")} ${each.found_on} · ${t("deadline")} ${each.deadline_on}`),
        h("div", { class: "phone-row", role: "group", "aria-label": each.description }, Object.entries(known.choices.recheck).map(([code, label]) =>
          button(label, () => answer(each, { result: code }), { look: said?.result === code ? "btn-primary" : "btn-outline-primary", "aria-pressed": String(said?.result === code) }))),
        said ? photoStrip(visit, "RECTIFIED", [...(said.photos ?? [])], (photos) => answer(each, { photos })) : null));
    }) : h("p", { class: "phone-empty" }, t("no_open_hazards")));
};

export const photos = async (visit) => {
  const strip = async (kind, role, label) => {
    const [entry] = await entriesOf(visit, kind);
    const list = [...(entry?.payload.photos ?? [])];
    let id = entry?.id;
    return photoStrip(visit, role, list, async (now) => {
      await guarded(async () => { id = await record(visit, kind, { caption: "", photos: now }, id); });
      send();
    }, { label });
  };
  show(t("photos"), to(visit),
    h("p", { class: "text-secondary" }, t("photos_why")), await strip("PHOTO", "SITE", t("photo_site")),
    h("h2", { class: "phone-section" }, t("mark")), h("p", { class: "text-secondary" }, t("mark_why")), await strip("MARK", "SERVICE_MARK", t("photo_mark")));
};

export const notes = async (visit) => {
  const draft = await draftOf(`note-${visit}`, { text: "" });
  const keep = () => keepDraft(`note-${visit}`, draft);
  const here = await entriesOf(visit, "NOTE");
  show(t("notes"), to(visit),
    here.map((each) => h("article", { class: "card phone-item" }, h("div", { class: "card-body d-flex justify-content-between" }, h("span", {}, each.payload.text),
      h("button", { type: "button", class: "btn btn-icon btn-ghost-secondary", "aria-label": t("remove"), onclick: async () => { if (await surely(t("surely_remove"))) { await remove(each.id); await redraw(); send(); } } }, icon("trash"))))),
    field(t("note"), text(draft, "text", keep, { rows: 4, maxlength: 2000 })),
    button(t("save"), () => draft.text.trim() && guarded(async () => { await record(visit, "NOTE", { text: draft.text.trim() }); await store.drop("drafts", `note-${visit}`); await redraw(); send(); }), { look: "btn-primary w-100" }));
};

// the end --------------------------------------------------------------------------------------------------

export const sign = async (visit, of) => {
  const draftId = `sign-${visit}-${of}`;
  const signed = (await entriesOf(visit, "SIGNATURE")).filter((each) => each.payload.of === of);
  const draft = await draftOf(draftId, { name: of === "EXPERT" ? store.account.get().name : "", post: "", strokes: [] });
  const keep = () => keepDraft(draftId, draft);
  const findings = await entriesOf(visit, "FINDING");
  const nil = await entriesOf(visit, "NIL");
  show(of === "EXPERT" ? t("sign_expert") : t("sign_enterprise"), to(visit),
    signed.map((each) => h("p", {}, state(t("signed_by", { name: each.payload.name }), "success"), " ", button(t("remove"), async () => { if (await surely(t("surely_remove"))) { await remove(each.id); await redraw(); send(); } }, { look: "btn-sm btn-ghost-secondary" }))),
    h("p", {}, findings.length ? t("signing_findings", { count: findings.length }) : nil.length ? t("signing_nil") : t("signing_nothing")),
    findings.length ? h("ol", { class: "phone-list" }, findings.map((each) => h("li", {}, `${each.payload.description} (${t("deadline")} ${each.payload.deadline_on})`))) : null,
    field(t("name"), text(draft, "name", keep, { maxlength: 60, autocomplete: "off" })),
    of === "ENTERPRISE" ? field(t("post"), text(draft, "post", keep, { maxlength: 60 })) : null,
    signaturePad(draft.strokes, keep),
    button(t("save_signature"), () => {
      if (!draft.name.trim()) return say(t("say_name"), "danger");
      if (!draft.strokes.length) return say(t("sign_first"), "danger");
      return guarded(async () => {
        await backTo(visit, async () => {
          await record(visit, "SIGNATURE", { of, name: draft.name.trim(), post: draft.post ?? "", strokes: draft.strokes });
          await store.drop("drafts", draftId);
          say(t("kept_here"));
        });
        send();
      });
    }, { look: "btn-success w-100 mt-3", mark: "signature" }));
};

export const nil = async (visit) => {
  if (!(await surely(t("surely_nil")))) return;
  await guarded(() => record(visit, "NIL", { looked_at: "" }));
  send();
};

export const begin = async (visit, row) => {
  await guarded(async () => {
    const here = (await store.get("visits", visit)) ?? { id: visit };
    const known = await bundle();
    const pack = known?.packs?.[known?.checklists?.[visit]];
    await store.put("visits", {
      ...here,
      pack: here.pack ?? known?.checklists?.[visit],
      opening: here.opening ?? {
        id: visit, order: row.order ?? null, policy: row.order ? null : row.policy, service_type: row.service_type,
        checklist: pack?.checklist.code ?? "", checklist_version: pack?.checklist.version ?? null,
      },
      opened: here.opened ?? false,
      place: row.enterprise,
    });
    store.askToPersist();
    say(t("looking_for_position"), "info");
    await record(visit, "START", { position: await position() });
    const me = store.account.get();
    if (!(await entriesOf(visit, "PERSON")).some((each) => each.payload.name === me.name)) {
      const person = { role: me.role, name: me.name, expert_number: me.expert_number ?? "", post: me.post ?? "" };
      await record(visit, "PERSON", person, await personId(visit, person));
    }
    say(t("begun"));
    send();
  });
};

export const finish = async (visit) => {
  await guarded(async () => {
    say(t("looking_for_position"), "info");
    await record(visit, "END", { position: await position() });
    say(t("finished"));
    send();
  });
};

export const submit = async (visit) => {
  const twice = (await sentBefore(visit)).map((each) => each.id);
  if (twice.length && !(await surely(t("surely_same")))) return;
  await store.change("visits", visit, () => ({ submit: true, known: twice, missing: null, problems: null }));
  say(navigator.onLine ? t("submitting") : t("submits_later"), "info");
  await send();
};

export const choose = (text, choices) => ask(text, choices);
