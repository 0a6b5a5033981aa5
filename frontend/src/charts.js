// Charts, declared by the page:
//   <div class="chart" data-chart="trend" data-chart-source="#trend-option" role="img" aria-label="…"></div>
//   <script type="application/json" id="trend-option">{ …an ECharts option… }</script>
// A map adds data-map-url="/static/dist/map/370000.json"; its data name their region by `code`.
// A datum with `url` is a link to its rows. Formatters are named: "@percent", "@integer",
// "@amount", "@wan"; JSON carries no functions, and the Content-Security-Policy no text to evaluate.
import * as echarts from "echarts/core";
import { BarChart, FunnelChart, HeatmapChart, LineChart, MapChart, PieChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  DatasetComponent,
  DataZoomComponent,
  GeoComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  MarkPointComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { LabelLayout, UniversalTransition } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";
import { isChinese, say } from "./words.js";

echarts.use([
  BarChart, FunnelChart, HeatmapChart, LineChart, MapChart, PieChart, ScatterChart,
  AriaComponent, DatasetComponent, DataZoomComponent, GeoComponent, GridComponent, LegendComponent,
  MarkLineComponent, MarkPointComponent, TitleComponent, TooltipComponent, VisualMapComponent,
  LabelLayout, UniversalTransition, CanvasRenderer,
]); // prettier-ignore

// Told apart in print and by colour-blind readers; none is the red or green of a judgement.
const palette = ["#2a6f97", "#e09f3e", "#6a994e", "#9c6ade", "#bc6c25", "#3aa6a6", "#8d99ae", "#c8553d"];

const decimals = (digits, atLeast = digits) =>
  new Intl.NumberFormat("en", { minimumFractionDigits: atLeast, maximumFractionDigits: digits });
const whole = decimals(0);
const single = decimals(1);
const double = decimals(2);
// Axes and tooltips hand over a number; a label hands over its datum; a scatter's datum ends with its value.
const number = (given) => {
  let value = given?.value ?? given;
  if (Array.isArray(value)) value = value[value.length - 1];
  return value === null || value === "" || value === undefined || Number.isNaN(Number(value)) ? null : Number(value);
};
const shown = (format) => (given) => {
  const value = number(given);
  return value === null ? "–" : format(value);
};
const formatters = {
  "@percent": shown((value) => `${single.format(value)}%`), // 93.4 → 93.4%
  "@share": shown((value) => `${single.format(value * 100)}%`), // 0.934 → 93.4%
  "@integer": shown((value) => whole.format(value)),
  "@amount": shown((value) => double.format(value)),
  "@wan": shown((value) => `${single.format(value / 10000)}${isChinese() ? "万" : "×10⁴"}`),
};

// An axis reads better as 20%, 40% than as 20.0%, 40.0%.
const short = decimals(1, 0);
const axisFormatters = {
  ...formatters,
  "@percent": shown((value) => `${short.format(value)}%`),
  "@share": shown((value) => `${short.format(value * 100)}%`),
  "@wan": shown((value) => `${short.format(value / 10000)}${isChinese() ? "万" : "×10⁴"}`),
};

/** Replace each named formatter by its function, anywhere in the option. */
const withFormatters = (option, known = formatters) => {
  for (const [key, value] of Object.entries(option)) {
    if (typeof value === "string" && Object.hasOwn(known, value)) option[key] = known[value];
    else if (value && typeof value === "object") withFormatters(value, key === "axisLabel" ? axisFormatters : known);
  }
  return option;
};

const list = (value) => (Array.isArray(value) ? value : value ? [value] : []);

let cssPaper = "#ffffff";
const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** A custom property as #rrggbb: the stylesheet mixes colours in ways that only the browser resolves. */
const cssColour = (name, fallback) => {
  const probe = document.createElement("span");
  probe.style.color = `var(${name}, ${fallback})`;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  pixel.fillStyle = cssPaper;
  pixel.fillRect(0, 0, 1, 1); // what is translucent is seen on the page's paper
  pixel.fillStyle = resolved;
  pixel.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
  return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
};

/** Colours and sizes of the page, so that a chart follows dark mode and large text. */
const theme = () => {
  cssPaper = document.documentElement.dataset.bsTheme === "dark" ? "#1f2429" : "#ffffff";
  const ink = cssColour("--tblr-body-color", "#1f2937");
  const faint = cssColour("--tblr-border-color", "#e2e8f0");
  const quiet = cssColour("--tblr-secondary", "#526070");
  const paper = cssColour("--tblr-bg-surface", "#ffffff");
  const fontSize = Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8125);
  const fontFamily = getComputedStyle(document.body).fontFamily;
  const axis = {
    axisLine: { lineStyle: { color: faint } },
    axisTick: { lineStyle: { color: faint } },
    axisLabel: { color: quiet, fontSize },
    nameTextStyle: { color: quiet, fontSize },
    splitLine: { lineStyle: { color: faint } },
    splitArea: { show: false },
  };
  return {
    darkMode: document.documentElement.dataset.bsTheme === "dark",
    color: palette,
    backgroundColor: "transparent",
    textStyle: { fontFamily, fontSize, color: ink },
    title: { textStyle: { color: ink, fontSize: fontSize + 2, fontWeight: 600 }, subtextStyle: { color: quiet, fontSize } },
    legend: { textStyle: { color: ink, fontSize }, inactiveColor: faint },
    tooltip: { backgroundColor: paper, borderColor: faint, textStyle: { color: ink, fontSize } },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: { ...axis, axisLine: { show: false }, axisTick: { show: false } },
    timeAxis: axis,
    logAxis: axis,
    visualMap: { left: "auto", right: 0, bottom: 8, textStyle: { color: quiet, fontSize } },
    line: { symbol: "circle", symbolSize: 6, lineStyle: { width: 2.5 } },
    bar: { barMaxWidth: 28, itemStyle: { borderRadius: [3, 3, 0, 0] } },
    map: {
      itemStyle: { areaColor: faint, borderColor: paper, borderWidth: 1 },
      label: { color: ink, fontSize: fontSize - 1, textBorderColor: paper, textBorderWidth: 2.5 },
      emphasis: { itemStyle: { areaColor: "#f2cc8f" }, label: { color: "#1f2937" } },
      select: { itemStyle: { areaColor: "#f2cc8f" } },
    },
  };
};

const maps = new Map();

/** Load and register the shapes once a page; resolves to the names by region code. */
const loadMap = (url) => {
  if (!maps.has(url)) {
    const loading = fetch(url)
      .then((answer) => {
        if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
        return answer.json();
      })
      .then((shapes) => {
        echarts.registerMap(url, shapes);
        return new Map(shapes.features.map((each) => [String(each.properties.adcode), each.properties.name]));
      });
    loading.catch(() => maps.delete(url)); // the next chart tries again
    maps.set(url, loading);
  }
  return maps.get(url);
};

/** Point map series at the loaded shapes, and find each datum's region by its code. */
const placeOnMap = (option, url, names) => {
  for (const part of [...list(option.series).filter((each) => each.type === "map"), ...list(option.geo)]) {
    part.map = url;
    part.aspectScale ??= 0.8; // cosine of Shandong's latitude
    for (const side of ["left", "right", "top", "bottom"]) part[side] ??= 8;
    part.preserveAspect ??= "contain";
    part.nameMap ??= {};
    for (const datum of list(part.data)) {
      const name = names.get(String(datum.code));
      if (name && datum.name) part.nameMap[name] = datum.name;
      else if (name) datum.name = name;
    }
  }
};

const complete = (option) => {
  if (option.xAxis || option.yAxis) {
    // Figures written behind a bar need their place, and more of it in large text.
    const behind = list(option.series).some((series) => series.label?.show && series.label.position === "right");
    const right = behind ? 3.5 * parseFloat(getComputedStyle(document.documentElement).fontSize) : 20;
    const defaults = { left: 8, right, top: 28, bottom: option.legend ? 40 : 8, outerBoundsMode: "same" };
    option.grid = Array.isArray(option.grid) ? option.grid : { ...defaults, ...option.grid };
  }
  option.tooltip = { confine: true, ...option.tooltip, renderMode: "richText" };
  option.aria = { enabled: true, decal: { show: false }, ...option.aria };
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) option.animation = false;
  else option.animationDuration ??= 300;
  return withFormatters(option);
};

const strings = (part) =>
  typeof part === "string" ? part : part && typeof part === "object" ? Object.values(part).map(strings).join("") : "";

/** Have the characters' part of the web font fetched, where no font of the machine has them: a canvas measures
    text once, and would keep the widths of empty boxes. */
const fontsFor = async (text) => {
  if (!document.fonts) return;
  const probe = document.createElement("span");
  probe.className = "visually-hidden";
  probe.setAttribute("aria-hidden", "true");
  probe.textContent = [...new Set(text)].join("");
  document.body.append(probe);
  void probe.offsetWidth; // laid out, so that the browser knows what is missing
  if (document.fonts.status === "loading") {
    await Promise.race([document.fonts.ready, new Promise((resolve) => setTimeout(resolve, 3000))]);
  }
  probe.remove();
};

const isEmpty = (option) =>
  !option.dataset && list(option.series).every((series) => !Array.isArray(series.data) || series.data.length === 0);

const mounted = new Map();

const dispose = (element) => {
  const chart = mounted.get(element);
  if (!chart) return;
  chart.watcher.disconnect();
  chart.instance.dispose();
  mounted.delete(element);
};

const follow = (event) => {
  const url = event.data?.url;
  if (typeof url === "string" && url.startsWith("/") && !url.startsWith("//")) window.location.assign(url);
};

const mount = async (element) => {
  const source = document.querySelector(element.dataset.chartSource);
  if (!source || !element.isConnected) return;
  let option;
  try {
    option = JSON.parse(source.textContent);
    if (isEmpty(option)) {
      dispose(element);
      element.classList.add("chart-empty");
      element.textContent = say("noData");
      return;
    }
    if (element.dataset.mapUrl) placeOnMap(option, element.dataset.mapUrl, await loadMap(element.dataset.mapUrl));
    await fontsFor(`0123456789.,%–-万${strings(option)}`);
  } catch (error) {
    element.classList.add("chart-empty");
    element.textContent = say("noData");
    console.error(`chart ${element.dataset.chart}:`, error);
    return;
  }
  if (!element.isConnected) return;
  dispose(element);
  if (element.classList.contains("chart-empty")) {
    element.classList.remove("chart-empty");
    element.textContent = "";
  }
  const instance = echarts.init(element, theme(), { renderer: "canvas", locale: isChinese() ? "ZH" : "EN" });
  instance.setOption(complete(option));
  instance.on("click", follow);
  const watcher = new ResizeObserver(() => instance.resize());
  watcher.observe(element);
  mounted.set(element, { instance, watcher });
  element.dataset.chartReady = "yes";
};

const charts = (place) => [
  ...(place.matches?.("[data-chart]") ? [place] : []),
  ...(place.querySelectorAll?.("[data-chart]") ?? []),
];

const mountAll = (place) => {
  for (const element of charts(place)) mount(element);
};

document.addEventListener("htmx:afterSettle", ({ target }) => {
  for (const element of [...mounted.keys()]) if (!element.isConnected) dispose(element);
  mountAll(target);
  // A fragment may carry the figures alone while the chart stays where it was.
  for (const script of target.querySelectorAll?.('script[type="application/json"][id]') ?? []) {
    for (const element of mounted.keys()) {
      if (element.dataset.chartSource === `#${script.id}` && !target.contains(element)) mount(element);
    }
  }
});
document.addEventListener("htmx:beforeCleanupElement", ({ target }) => charts(target).forEach(dispose));
document.addEventListener("anze:appearance", () => requestAnimationFrame(() => mountAll(document)));
// Characters drawn before their part of the web font had come are drawn again.
document.fonts?.addEventListener("loadingdone", () => mounted.forEach(({ instance }) => instance.resize()));
addEventListener("beforeprint", () => mounted.forEach(({ instance }) => instance.resize()));

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => mountAll(document));
else mountAll(document);
