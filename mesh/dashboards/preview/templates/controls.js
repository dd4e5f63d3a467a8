(function () {
  "use strict";
  var page = window.dashboard, data = page.data, element = page.element, folded = page.folded;
  var says = document.getElementById("picked"), round = 0;
  // What is picked, as the place of an option, by control; and how each control is set to it.
  var state = {}, set = {};
  data.controls.forEach(function (control) { state[control.id] = control.start; });

  function option(control, place) { return control.options[place === undefined ? state[control.id] : place]; }
  function parts() { return location.hash.length > 1 ? location.hash.slice(1).split("&") : []; }
  function chartNamed() { return parts().filter(function (part) { return part.indexOf("=") < 0; })[0] || ""; }
  function picks() {
    return data.controls.map(function (control) {
      return encodeURIComponent(control.id) + "=" + encodeURIComponent(option(control)[0]);
    });
  }

  async function unpacked(text) { return JSON.parse(await page.unpack(text)); }
  var opened = {};
  function cards(id, pack) {
    var name = id + " " + pack;
    if (!opened[name]) opened[name] = unpacked(data.picked[id].packs[pack]);
    return opened[name];
  }

  // Each chart that follows is put in its place as it was drawn for what is picked.
  async function show() {
    var mine = ++round;
    document.documentElement.dataset.ready = "no";
    document.querySelectorAll("[data-question]").forEach(function (line) {
      var control = data.controls.find(function (one) { return one.id === line.dataset.question; });
      line.querySelector("bdi").textContent = option(control)[1];
    });
    var made = await Promise.all(Object.keys(data.picked).map(async function (id) {
      var place = 0, picked = data.picked[id];
      picked.controls.forEach(function (name) {
        var control = data.controls.find(function (one) { return one.id === name; });
        place = place * control.options.length + state[name];
      });
      return [id, (await cards(id, Math.floor(place / picked.pack)))[place % picked.pack]];
    }));
    // Somebody has picked something else meanwhile.
    if (mine !== round) return;
    await Promise.all(made.map(function (one) { return page.replace(one[0], one[1]); }));
    if (mine !== round) return;
    tellUnmoved();
    link();
    document.documentElement.dataset.ready = "yes";
  }

  // Links to charts lead to them as they are picked now.
  function link() {
    var named = chartNamed();
    document.querySelectorAll(".anchor").forEach(function (anchor) {
      anchor.href = "#" + [anchor.closest(".card").id].concat(picks()).join("&");
    });
    document.querySelectorAll(".card").forEach(function (card) {
      card.classList.toggle("target", card.id === named && named !== "");
    });
  }

  // Where all of them are shown there is no choice that a chart could not follow.
  function tellUnmoved() {
    document.querySelectorAll(".unmoved").forEach(function (line) {
      var control = data.controls.find(function (one) { return one.id === line.dataset.of; });
      var untouched = control.stated && state[control.id] === control.start;
      line.hidden = untouched || option(control)[0] === "";
    });
  }

  // What a link says is picked. A value that is not here is told, and what was there stays.
  function read() {
    var unknown = [], changed = false;
    // Back to where nothing was picked yet.
    if (!parts().length) data.controls.forEach(function (control) {
      if (state[control.id] === control.start) return;
      state[control.id] = control.start;
      set[control.id]();
      changed = true;
    });
    parts().forEach(function (part) {
      var at = part.indexOf("=");
      if (at < 0) return;
      var name, key;
      try { name = decodeURIComponent(part.slice(0, at)); key = decodeURIComponent(part.slice(at + 1)); } catch (e) { return; }
      var control = data.controls.find(function (one) { return one.id === name; });
      if (!control) return;
      var place = control.options.findIndex(function (one) { return one[0] === key; });
      if (place < 0) unknown.push("There is no “" + key + "” here: this is " + option(control)[1] + ".");
      else if (place !== state[name]) { state[name] = place; set[name](); changed = true; }
    });
    return [unknown.join(" "), changed];
  }

  function told() {
    return "Showing " + data.controls.map(function (control) { return option(control)[1]; }).join(", ") + ".";
  }
  async function pick(control, place) {
    if (state[control.id] === place) return;
    state[control.id] = place;
    set[control.id]();
    says.textContent = told();
    location.hash = picks().join("&");
    await show();
  }

  function searched(control, box) {
    var input = box.querySelector("input"), list = box.querySelector("[role=listbox]");
    var shown = [], active = -1, typed = false;
    var names = control.options.map(function (one) { return folded(one[1]); });
    set[control.id] = function () { input.value = option(control)[1]; };
    function close() {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }
    function point(to) {
      active = to;
      Array.from(list.children).forEach(function (line, index) {
        line.setAttribute("aria-selected", String(index === active));
        if (index === active) { line.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", line.id); }
      });
    }
    function open(words) {
      words = folded(words).split(/\s+/).filter(Boolean);
      typed = words.length > 0;
      shown = names.map(function (_, place) { return place; }).filter(function (place) {
        return words.every(function (word) { return names[place].includes(word); });
      }).slice(0, 50);
      list.replaceChildren.apply(list, shown.map(function (place, index) {
        var line = element("li"), name = element("bdi", option(control, place)[1]);
        line.append(name);
        line.id = control.id + "-option-" + index;
        line.setAttribute("role", "option");
        line.setAttribute("aria-selected", "false");
        // The click must not take the focus away from the field first, which would close the list.
        line.addEventListener("mousedown", function (event) { event.preventDefault(); });
        line.addEventListener("click", function () { close(); pick(control, place); set[control.id](); });
        return line;
      }));
      if (!shown.length) list.append(element("li", control.notFound, "none"));
      list.hidden = false;
      active = -1;
      input.setAttribute("aria-expanded", "true");
      input.removeAttribute("aria-activedescendant");
    }
    input.addEventListener("focus", function () { input.select(); });
    input.addEventListener("click", function () { if (list.hidden) open(""); });
    input.addEventListener("input", function () { open(input.value); });
    input.addEventListener("blur", function () { close(); set[control.id](); });
    input.addEventListener("keydown", function (event) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) { open(""); return; }
        var way = event.key === "ArrowDown" ? 1 : -1;
        if (shown.length) point((Math.max(active, way < 0 ? 0 : -1) + way + shown.length) % shown.length);
      } else if (event.key === "Enter" && !list.hidden) {
        event.preventDefault();
        // The first is picked only where it was sought, and not of the whole list.
        var place = shown[typed ? Math.max(0, active) : active];
        close();
        if (place !== undefined) pick(control, place);
        set[control.id]();
        input.select();
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        close();
        set[control.id]();
      }
    });
  }

  data.controls.forEach(function (control) {
    var box = document.querySelector('[data-control="' + control.id + '"]'), select = box.querySelector("select");
    if (!select) { searched(control, box); return; }
    set[control.id] = function () { select.selectedIndex = state[control.id]; };
    select.addEventListener("change", function () { pick(control, select.selectedIndex); });
    // Browsers keep what was picked before a page was loaded again.
    set[control.id]();
  });

  async function follow() {
    var found = read();
    if (found[0]) says.textContent = found[0];
    else if (found[1]) says.textContent = told();
    if (found[1]) await show();
    else link();
    var card = document.getElementById(chartNamed());
    if (card) card.scrollIntoView();
  }
  addEventListener("hashchange", follow);
  page.drawn.then(follow);
})();
