// Reading the code at an enterprise's gate with the camera, where the browser can.
import { button, h, say, t } from "./dom.js";

export const scan = async (found) => {
  if (!("BarcodeDetector" in globalThis) || !navigator.mediaDevices) return h("p", { class: "text-secondary" }, t("no_scanner"));
  const video = h("video", { class: "phone-video", playsinline: true, muted: true, hidden: true });
  const start = async () => {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      video.srcObject = stream;
      video.hidden = false;
      await video.play();
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      const look = async () => {
        if (!video.isConnected || !stream.active) return;
        const [code] = await detector.detect(video).catch(() => []);
        if (!code) return setTimeout(look, 200);
        stream.getTracks().forEach((each) => each.stop());
        found(code.rawValue);
      };
      look();
    } catch {
      say(t("no_camera"), "danger");
    }
  };
  return h("div", { class: "mb-3" }, button(t("open_camera"), start, { look: "btn-primary w-100", mark: "camera" }), video);
};
