// A finger on glass: signatures, and arrows and words as a layer of their own over a photo.
import { ask, button, h, t } from "./dom.js";

const at = (event, canvas) => {
  const box = canvas.getBoundingClientRect();
  const within = (value) => Math.min(1, Math.max(0, value));
  return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
};
const ink = (canvas, width = 3) => {
  const paint = canvas.getContext("2d");
  paint.lineWidth = width;
  paint.lineCap = paint.lineJoin = "round";
  return paint;
};

/** A pad to sign on. `strokes` are thousandths of its width and four hundredths of its height. */
export const signaturePad = (strokes, changed) => {
  const canvas = h("canvas", { width: 1000, height: 400, class: "phone-pad", role: "img", "aria-label": t("sign_here") });
  const draw = () => {
    const paint = ink(canvas, 6);
    paint.clearRect(0, 0, 1000, 400);
    paint.strokeStyle = "#10243a";
    for (const stroke of strokes) {
      paint.beginPath();
      stroke.forEach(([x, y], n) => (n ? paint.lineTo(x, y) : paint.moveTo(x, y)));
      paint.stroke();
    }
  };
  let line = null;
  const point = (event) => at(event, canvas).map((value, n) => Math.round(value * (n ? 400 : 1000)));
  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture?.(event.pointerId);
    line = [point(event)];
    strokes.push(line);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!line || line.length > 2900) return;
    line.push(point(event));
    draw();
  });
  canvas.addEventListener("pointerup", () => {
    if (line?.length === 1) line.push([line[0][0] + 1, line[0][1]]);
    line = null;
    draw();
    changed();
  });
  draw();
  const clear = button(t("clear"), () => {
    strokes.length = 0;
    draw();
    changed();
  }, { look: "btn-outline-secondary", mark: "trash" });
  return h("div", {}, canvas, clear);
};

export const paintShapes = (canvas, shapes) => {
  const paint = ink(canvas, Math.max(3, canvas.width / 120));
  const scale = ([x, y]) => [x * canvas.width, y * canvas.height];
  paint.strokeStyle = paint.fillStyle = "#e3172a";
  for (const { kind, points, text } of shapes) {
    const at = points.map(scale);
    if (kind === "text") {
      paint.font = `bold ${Math.max(16, canvas.width / 20)}px sans-serif`;
      paint.lineWidth = 4;
      paint.strokeStyle = "#fff";
      paint.strokeText(text, ...at[0]);
      paint.fillText(text, ...at[0]);
      paint.strokeStyle = "#e3172a";
      continue;
    }
    paint.lineWidth = Math.max(3, canvas.width / 120);
    paint.beginPath();
    at.forEach(([x, y], n) => (n ? paint.lineTo(x, y) : paint.moveTo(x, y)));
    if (kind === "arrow" && at.length === 2) {
      const [[x1, y1], [x2, y2]] = at;
      const angle = Math.atan2(y2 - y1, x2 - x1);
      const size = canvas.width / 22;
      for (const turn of [-0.5, 0.5]) {
        paint.moveTo(x2, y2);
        paint.lineTo(x2 - size * Math.cos(angle + turn), y2 - size * Math.sin(angle + turn));
      }
    }
    paint.stroke();
  }
};

/** Draw over a photo. Resolves with the shapes; the original is never touched. */
export const annotate = (url, shapes) =>
  new Promise((resolve) => {
    const made = structuredClone(shapes);
    const image = new Image();
    const canvas = h("canvas", { class: "phone-draw" });
    let tool = "arrow";
    let from = null;
    const draw = (extra = []) => {
      const paint = canvas.getContext("2d");
      paint.drawImage(image, 0, 0, canvas.width, canvas.height);
      paintShapes(canvas, [...made, ...extra]);
    };
    image.addEventListener("load", () => {
      const scale = Math.min(1, 1200 / image.naturalWidth);
      canvas.width = Math.round(image.naturalWidth * scale);
      canvas.height = Math.round(image.naturalHeight * scale);
      draw();
    });
    image.addEventListener("error", () => canvas.replaceWith(h("p", {}, t("no_preview"))));
    image.src = url;
    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      canvas.setPointerCapture?.(event.pointerId);
      from = at(event, canvas);
    });
    canvas.addEventListener("pointermove", (event) => from && tool === "arrow" && draw([{ kind: "arrow", points: [from, at(event, canvas)] }]));
    canvas.addEventListener("pointerup", (event) => {
      const to = at(event, canvas);
      if (made.length >= 100) from = null; // as many as a layer may hold
      if (from && tool === "arrow" && Math.hypot(to[0] - from[0], to[1] - from[1]) > 0.02) made.push({ kind: "arrow", points: [from, to] });
      if (from && tool === "text" && words.value.trim()) made.push({ kind: "text", points: [to], text: words.value.trim().slice(0, 60) });
      from = null;
      draw();
    });
    const words = h("input", { class: "form-control form-control-lg", maxlength: 60, placeholder: t("text_on_photo"), "aria-label": t("text_on_photo"), hidden: true });
    const dialog = h("dialog", { class: "phone-annotate" });
    const choose = (name) => () => {
      tool = name;
      words.hidden = name !== "text";
      for (const each of dialog.querySelectorAll("[data-tool]")) each.setAttribute("aria-pressed", String(each.dataset.tool === name));
    };
    dialog.append(
      canvas,
      words,
      h("div", { class: "phone-row" },
        button(t("arrow"), choose("arrow"), { look: "btn-outline-primary", "data-tool": "arrow", "aria-pressed": "true" }),
        button(t("words"), choose("text"), { look: "btn-outline-primary", "data-tool": "text", "aria-pressed": "false" }),
        button(t("undo"), () => { made.pop(); draw(); }, { look: "btn-outline-secondary" })),
      button(t("done"), () => { dialog.close("done"); }, { look: "btn-primary w-100 mt-2" }),
    );
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "done" ? made : shapes); });
    document.body.append(dialog);
    dialog.showModal();
  });

export const surely = (text) => ask(text, [["yes", t("yes_do"), "btn-danger"], ["no", t("no_keep"), ""]]).then((said) => said === "yes");
