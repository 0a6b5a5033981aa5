// Photos inside a form: take, look, draw over, take away.
import { annotate, paintShapes, surely } from "./draw.js";
import { button, h, icon, say, state, t } from "./dom.js";
import { pictureOf, takePhoto } from "./record.js";
import * as store from "./store.js";

const receipt = async (photo) => {
  const kept = await store.get("photos", photo.file);
  if (!kept || kept.receipt) return state(t("received"), "success");
  return kept.problem ? state(t("refused"), "danger") : state(t("waiting"), "info");
};

const small = async (photo, open) => {
  const url = await pictureOf(photo.file);
  const canvas = h("canvas", { width: 240, height: 180 });
  const holder = h("button", { type: "button", class: "phone-photo", onclick: open, "aria-label": t("photo") }, url ? canvas : icon("photo"), await receipt(photo));
  if (url) {
    const image = new Image();
    image.addEventListener("load", () => {
      canvas.height = Math.round((240 * image.naturalHeight) / image.naturalWidth);
      canvas.getContext("2d").drawImage(image, 0, 0, 240, canvas.height);
      paintShapes(canvas, photo.strokes ?? []);
    });
    image.addEventListener("error", () => canvas.replaceWith(icon("photo")));
    image.src = url;
  }
  return holder;
};

/** The photos of an entry and the camera; `changed` gets the new list. */
export const photoStrip = (visit, role, photos, changed, { label = t("take_photo") } = {}) => {
  const strip = h("div", { class: "phone-photos" });
  const draw = async () => {
    undo.hidden = !photos.length;
    strip.replaceChildren(...(await Promise.all(photos.map((photo, n) => small(photo, () => look(n))))));
  };
  const look = async (n) => {
    const url = await pictureOf(photos[n].file);
    if (!url) return say(t("original_on_server"), "info");
    const strokes = await annotate(url, photos[n].strokes ?? []);
    photos[n] = { ...photos[n], strokes };
    await store.change("photos", photos[n].file, () => ({ strokes }));
    changed(photos);
    await draw();
  };
  const take = async () => {
    try {
      const made = await takePhoto(visit, role);
      if (!made) return;
      photos.push(made);
      changed(photos);
      await draw();
    } catch (problem) {
      say(problem?.name === "QuotaExceededError" ? t("device_full") : `${t("photo_failed")} ${problem?.message ?? ""}`, "danger");
    }
  };
  const undo = button(t("remove_last_photo"), async () => {
    if (!photos.length || !(await surely(t("surely_remove_photo")))) return;
    photos.pop();
    changed(photos);
    await draw();
  }, { look: "btn-ghost-secondary btn-sm", mark: "trash" });
  draw();
  return h("div", { class: "mb-3" }, button(label, take, { look: "btn-primary w-100", mark: "camera" }), strip, undo);
};
