// The phone app for visits on site.
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/visits/worker.js", { scope: "/visits/" });
