(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  // views: Vega's, by chart; texts: the CSV of charts that are not those that the page came with.
  var tip = document.getElementById("tip"), views = {}, texts = {};
  var watcher = window.ResizeObserver && new ResizeObserver(function (entries) {
    entries.forEach(function (entry) {
      var box = entry.target, view = box.view;
      if (view && box.clientWidth && +box.dataset.width !== box.clientWidth) {
        box.dataset.width = box.clientWidth;
        view.width(box.clientWidth).runAsync();
      }
    });
  });

  // A chart as wide as the window would shrink with all its letters: it is drawn for the sheet.
  var PAPER = 640;
  function redraw(width) {
    document.querySelectorAll(".vega").forEach(function (box) {
      if (box.view && box.clientWidth > PAPER) box.view.width(width(box)).run();
    });
  }
  // Before the colours of paper are put into what is drawn, and after they are taken out of it.
  addEventListener("beforeprint", function () { redraw(function () { return PAPER; }); }, true);
  addEventListener("afterprint", function () { redraw(function (box) { return box.clientWidth; }); });

  function element(tag, text, name) {
    var made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  }

  // Accents do not matter when one searches.
  function folded(text) { return String(text).normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase(); }

  // Vega's tooltip, with text nodes only: whatever a title holds is shown, never run.
  function tooltip(handler, event, item, value) {
    if (!value) { tip.hidden = true; return; }
    tip.replaceChildren();
    Object.keys(value).forEach(function (key, index) {
      if (index === 0) { tip.append(element("strong", value[key])); return; }
      var line = element("div");
      line.append(element("span", key), element("b", value[key]));
      tip.append(line);
    });
    tip.hidden = false;
    var box = tip.getBoundingClientRect();
    var left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
    var top = event.clientY + 16;
    if (top + box.height > innerHeight - 8) top = event.clientY - box.height - 12;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = Math.max(8, top) + "px";
  }

  function themed(spec) {
    var text = JSON.stringify(spec), colours = data.themes[document.documentElement.dataset.theme];
    Object.keys(colours).forEach(function (name) {
      text = text.split('"' + name + '"').join('"' + colours[name] + '"');
    });
    return JSON.parse(text);
  }

  // A panel's data comes in columns, in which nothing stands for what a row does not have.
  function rows(columns) {
    var names = Object.keys(columns);
    return columns[names[0]].map(function (_, index) {
      var row = {};
      names.forEach(function (name) { if (columns[name][index] !== null) row[name] = columns[name][index]; });
      return row;
    });
  }

  async function unpack(text) {
    var packed = Uint8Array.from(atob(text), function (c) { return c.charCodeAt(0); });
    var stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  async function draw(box) {
    var id = box.dataset.chart, panel = box.dataset.panel, chart = data.charts[id];
    var spec = JSON.parse(JSON.stringify(chart.vega));
    // One who hears the page hears of each small picture what is in it, and not of all in each.
    if (panel) spec.description = chart.called[panel];
    if (panel) spec.data.forEach(function (one) {
      if (chart.panels[panel][one.name]) one.values = rows(chart.panels[panel][one.name]);
    });
    spec = themed(spec);
    if (box.view) box.view.finalize();
    spec.width = box.clientWidth;
    spec.height = chart.height;
    box.dataset.width = box.clientWidth;
    var made = await vegaEmbed(box, spec, {
      mode: "vega", renderer: "svg", actions: false, defaultStyle: false, hover: true, tooltip: tooltip,
    });
    box.view = views[id] = made.view;
  }

  function focus(id, key) { if (views[id]) views[id].signal("focus", key).runAsync(); }

  // Made when it is asked for, out of the page itself: it works without any server.
  async function save(id) {
    var link = element("a"), text = texts[id] === undefined ? await unpack(data.files[id]) : texts[id];
    link.href = URL.createObjectURL(new Blob(["\ufeff", text.replace("\ufeff", "")], { type: "text/csv" }));
    link.download = document.body.dataset.page + "." + id + ".csv";
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
  }

  // What listens within a card, and its pictures.
  function wire(root) {
    root.querySelectorAll("[data-file]").forEach(function (button) {
      button.addEventListener("click", function () { save(button.dataset.file); });
    });
    root.querySelectorAll(".legend li[data-key]").forEach(function (line) {
      var id = line.closest(".card").id, key = line.dataset.key;
      ["mouseenter", "focus"].forEach(function (name) { line.addEventListener(name, function () { focus(id, key); }); });
      ["mouseleave", "blur"].forEach(function (name) { line.addEventListener(name, function () { focus(id, ""); }); });
    });
    var boxes = Array.from(root.querySelectorAll("[data-chart]"));
    if (watcher) boxes.forEach(function (box) { watcher.observe(box); });
    return Promise.all(boxes.map(draw));
  }

  // Another card in the place of a chart: what is picked decides which.
  function replace(id, card) {
    var old = document.getElementById(id), made = document.createElement("template");
    made.innerHTML = card.html;
    var open = old.querySelector("details[open]");
    old.querySelectorAll("[data-chart]").forEach(function (box) {
      if (watcher) watcher.unobserve(box);
      if (box.view) box.view.finalize();
    });
    delete views[id];
    data.charts[id] = card.chart;
    data.contents[id] = card.content;
    texts[id] = card.csv;
    var fresh = made.content.querySelector(".card"), details = fresh.querySelector("details");
    if (details) details.open = Boolean(open);
    old.replaceWith(fresh);
    document.dispatchEvent(new CustomEvent("card", { detail: fresh }));
    return wire(fresh);
  }

  document.addEventListener("theme", function () { document.querySelectorAll("[data-chart]").forEach(draw); });
  document.addEventListener("recolour", function (event) {
    var from = data.themes[event.detail[0]], to = data.themes[event.detail[1]];
    if (from === to) return;
    document.querySelectorAll("[data-chart] svg *").forEach(function (mark) {
      ["fill", "stroke"].forEach(function (side) {
        var name = Object.keys(from).find(function (one) { return from[one] === mark.getAttribute(side); });
        if (name) mark.setAttribute(side, to[name]);
      });
    });
  });
  addEventListener("scroll", function () { tip.hidden = true; }, { passive: true });
  addEventListener("keydown", function (event) { if (event.key === "Escape") tip.hidden = true; });

  document.querySelectorAll(".numbers details").forEach(function (details) { details.open = false; });
  document.documentElement.dataset.ready = "no";
  var drawn = wire(document);
  window.dashboard = { data: data, element: element, folded: folded, unpack: unpack, replace: replace, drawn: drawn };
  drawn.then(function () { document.documentElement.dataset.ready = "yes"; });
})();
