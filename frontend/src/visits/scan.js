// Reading the code at an enterprise's gate with the camera. Phones differ in what they read by themselves, so the
// reading is done here, the same everywhere.
import decode from "qr/decode.js";
import { button, h, say, t } from "./dom.js";

const WIDEST = 720; // enough for a code that fills a third of the picture, and quick on a cheap phone

/** What a code in the picture says, or nothing. */
const read = (video, canvas) => {
  const scale = Math.min(1, WIDEST / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  if (!canvas.width || !canvas.height) return "";
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  try {
    return decode(context.getImageData(0, 0, canvas.width, canvas.height));
  } catch {
    return ""; // no code in this picture: the next one comes in a moment
  }
};

export const scan = async (found) => {
  if (!navigator.mediaDevices) return h("p", { class: "text-secondary" }, t("no_scanner"));
  const video = h("video", { class: "phone-video", playsinline: true, muted: true, hidden: true });
  const start = async () => {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      video.hidden = false;
      await video.play();
      const canvas = h("canvas");
      const look = () => {
        if (!video.isConnected || !stream.active) return;
        const said = read(video, canvas);
        if (!said) return setTimeout(look, 150);
        stream.getTracks().forEach((each) => each.stop());
        video.hidden = true;
        found(said);
      };
      look();
    } catch {
      say(t("no_camera"), "danger");
    }
  };
  return h("div", { class: "mb-3" }, button(t("open_camera"), start, { look: "btn-primary w-100", mark: "camera" }), video);
};
