// The few words that the browser itself says. Pages bring all others.
const words = {
  zh: {
    copied: "已复制",
    notCopied: "无法复制，请手动选择文字",
    offline: "无法连接服务器，请检查网络后重试。已填写的内容仍在页面上。",
    refused: "您没有权限执行此操作，或登录已过期。请重新登录后再试。",
    missing: "此内容不存在，或不在您的管辖范围内。",
    tooMany: "操作过于频繁，请稍候再试。",
    failed: "服务器未能完成此操作，数据未作更改。请稍后再试，或将此时间告知管理员：",
    noData: "暂无数据",
    close: "关闭",
  },
  en: {
    copied: "Copied",
    notCopied: "Could not copy: please select the text by hand",
    offline: "The server cannot be reached. Check the network and try again; what you typed is still on the page.",
    refused: "You may not do this, or your session has ended. Sign in again and retry.",
    missing: "This does not exist, or lies outside your jurisdiction.",
    tooMany: "Too many requests in a short time. Please wait a moment.",
    failed: "The server could not finish this and changed nothing. Try again later, or tell your administrator this time: ",
    noData: "No data",
    close: "Close",
  },
};

export const isChinese = () => (document.documentElement.lang || "zh").toLowerCase().startsWith("zh");

export const say = (key) => words[isChinese() ? "zh" : "en"][key];
