"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const ranks = ["critical", "high", "medium", "low"];
  const page = 100;
  const data = JSON.parse($("data").textContent);
  const on = (element, name, act) => element && element.addEventListener(name, act);

  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // Theme: the system's choice until the button is pressed.
  const theme = $("theme");
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => { theme.textContent = isDark() ? "Light" : "Dark"; theme.setAttribute("aria-label", "Switch to " + (isDark() ? "light" : "dark") + " colours"); };
  theme.hidden = false;
  name();
  on(theme, "click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); });

  // Findings on the page, and those that are data only.
  const cards = [...document.querySelectorAll(".finding")].map((element) => ({
    element,
    group: element.closest(".control"),
    severity: element.dataset.severity,
    status: element.dataset.status,
    text: (element.closest(".control").dataset.control + " " + element.textContent).toLowerCase(),
    name: element.querySelector(".name").textContent,
  }));
  let rows = [];
  let shapes = [];
  let policies = [];
  const unpack = async () => {
    const bytes = Uint8Array.from(atob(data.packed), (char) => char.charCodeAt(0));
    const inflate = new DecompressionStream("deflate");
    const writer = inflate.writable.getWriter();
    Promise.all([writer.write(bytes), writer.close()]).catch(() => {}); // what fails here fails below too
    const reader = inflate.readable.pipeThrough(new TextDecoderStream()).getReader();
    const parts = [];
    for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
    const found = JSON.parse(parts.join(""));
    ({ shapes, policies } = found);
    rows = found.rows.map((row) => ({
      row, severity: ranks[row[1]], status: row[5],
      text: (row[0] + " " + row[2] + " " + row[3] + " " + row[6] + " " + JSON.stringify(row[10] || "")).toLowerCase(),
      name: row[2].split("/").pop(),
    }));
  };

  const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\"'\"'") + "'");
  const term = (list, title, text) => {
    const line = make("div");
    line.append(make("dt", "", title), make("dd", "mono", text));
    list.append(line);
  };
  const listing = (label, ...parts) => {
    const code = make("code");
    code.append(...parts);
    const block = make("pre", "code");
    block.tabIndex = 0;
    block.setAttribute("role", "group");
    block.setAttribute("aria-label", label);
    block.append(code);
    return block;
  };
  const draw = ({ row, severity, status, name: title }) => {
    const [control, , resource, message, anchor, , place, where, shape, values, facts, policy] = row;
    const item = make("li", "finding " + severity + " " + status);
    item.id = anchor;
    const details = make("details");
    const summary = make("summary");
    const what = make("span", "what");
    const dot = make("span", "dot");
    dot.setAttribute("aria-hidden", "true");
    what.append(make("span", "id", control), make("strong", "name", title), " ");
    if (facts && facts.some(([fact, text]) => fact === "demonstrated" && text === "yes")) what.append(make("span", "badge proof", "demonstrated"), " ");
    what.append(make("span", "message", message));
    summary.append(dot, what);
    details.append(summary);
    const fill = () => {
      const body = make("div", "body");
      const list = make("dl", "facts");
      term(list, "resource", resource);
      if (place) term(list, "place", place);
      if (where) term(list, "source", where);
      if (facts) facts.forEach(([fact, text]) => term(list, fact, text));
      else term(list, "evidence", "in the JSON report");
      body.append(list);
      if (policy !== null) {
        const [label, before, marked, after] = policies[policy];
        const figure = make("figure");
        const parts = marked ? [before, make("mark", "", marked), after] : [before, after];
        figure.append(make("figcaption", "", label + (marked ? ", the deciding statement marked" : "")), listing("policy document", ...parts));
        body.append(figure);
      }
      if (shape !== null) shapes[shape].forEach(([form, text], index) => {
        const fix = make("details", "fix");
        fix.open = index === 0;
        fix.append(make("summary", "", "Fix this one: " + form), listing(form, text.replace(/[\ue000-\ue008]/g, (mark) => values[mark.charCodeAt(0) - 0xe000])));
        body.append(fix);
      });
      const again = (label, ...inner) => { const line = make("p", "again"); line.append(make("span", "", label), " ", ...inner); body.append(line); };
      const role = resource.includes(":role/") ? " --role " + quoted(resource.split("/").pop()) : data.roles;
      again("Reproduce", make("code", "copy", data.command + role));
      const link = make("a", "mono", "#" + anchor);
      link.href = "#" + anchor;
      again("Permalink", link);
      details.append(body);
    };
    details.addEventListener("toggle", fill, { once: true });
    item.append(details);
    return item;
  };

  // What is meant to be copied gets a button when it is first opened; where the clipboard is closed, the text is selected.
  const offer = (text) => {
    if (text.previousElementSibling && text.previousElementSibling.className === "take") return;
    const label = text.getAttribute("aria-label") || "command";
    const button = make("button", "take", "Copy");
    button.type = "button";
    button.setAttribute("aria-label", "Copy: " + label);
    on(button, "click", () => {
      const select = () => getSelection().selectAllChildren(text);
      const done = () => { button.textContent = "Copied"; button.setAttribute("aria-label", "Copied: " + label); };
      if (navigator.clipboard) navigator.clipboard.writeText(text.textContent).then(done, select);
      else select();
    });
    text.before(button);
  };
  const offers = (details) => details.querySelectorAll("pre.code, code.copy").forEach(offer);
  document.addEventListener("toggle", (event) => event.target.open && offers(event.target), true);
  document.querySelectorAll(".finding > details[open]").forEach(offers);

  const bar = $("bar");
  let found = [];
  let drawn = 0;
  const more = () => {
    const part = document.createDocumentFragment();
    found.slice(drawn, drawn + page).forEach((entry) => part.append(draw(entry)));
    $("extra-list").append(part);
    drawn = Math.min(drawn + page, found.length);
    $("extra-more").hidden = drawn >= found.length;
  };
  const apply = () => {
    const words = $("query").value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set([...bar.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
    const status = $("status").value;
    const fits = (entry) => severities.has(entry.severity) && (!status || entry.status === status) && words.every((word) => entry.text.includes(word));
    const groups = new Map();
    let count = 0;
    cards.forEach((card) => {
      const fit = fits(card);
      card.element.hidden = !fit;
      groups.set(card.group, groups.get(card.group) || fit);
      count += fit;
    });
    document.querySelectorAll(".control").forEach((group) => { group.hidden = groups.get(group) !== true; });
    found = rows.filter(fits);
    if ($("sort").value) found = [...found].sort((a, b) => a.name.localeCompare(b.name));
    drawn = 0;
    $("extra-list").replaceChildren();
    $("extra").hidden = !found.length;
    more();
    $("shown").textContent = (count + found.length).toLocaleString("en") + " of " + (cards.length + data.count).toLocaleString("en");
  };
  const sort = () => {
    const byName = $("sort").value === "name";
    document.querySelectorAll(".control .list").forEach((list) => {
      const own = cards.filter((card) => card.element.parentElement === list);
      const order = byName ? [...own].sort((a, b) => a.name.localeCompare(b.name)) : own;
      order.forEach((card) => list.append(card.element));
    });
    apply();
  };
  let wait;
  on($("query"), "input", () => { clearTimeout(wait); wait = setTimeout(apply, 120); });
  bar.addEventListener("change", (event) => (event.target.id === "sort" ? sort() : apply()));
  bar.addEventListener("submit", (event) => event.preventDefault());
  on($("extra-more"), "click", more);
  if (cards.length) {
    bar.hidden = false;
    apply();
  }

  // The roles: rows of the matrix, and of the list by role, by name and by the gravest of their findings.
  const tables = [...document.querySelectorAll(".matrix, .roles")].map((table) => ({
    body: table.tBodies[0],
    lines: [...table.tBodies[0].rows].map((line) => ({
      line,
      name: line.cells[0].textContent,
      text: line.cells[0].textContent.toLowerCase(),
      rank: ranks.findIndex((rank) => line.querySelector("td." + rank + ", .badge." + rank)),
    })),
  }));
  const arrange = () => {
    const words = $("role-query").value.toLowerCase().split(/\s+/).filter(Boolean);
    const least = $("role-rank").value ? ranks.indexOf($("role-rank").value) : ranks.length;
    const byName = $("role-sort").value === "name";
    const counts = tables.map(({ body, lines }) => {
      const fits = lines.filter(({ text, rank }) => rank <= least && words.every((word) => text.includes(word)));
      const order = byName ? [...fits].sort((a, b) => a.name.localeCompare(b.name)) : fits;
      body.replaceChildren(...order.map(({ line }) => line));
      order.forEach(({ line }) => line.querySelectorAll("th > details").forEach((names) => { names.open = words.length > 0; }));
      return fits.length + " of " + lines.length;
    });
    $("roles-shown").textContent = counts[0] + " rows";
  };
  if (tables.length) {
    const form = $("roles-bar");
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", arrange);
    let pause;
    on($("role-query"), "input", () => { clearTimeout(pause); pause = setTimeout(arrange, 120); });
    arrange();
  }

  // A link to a finding opens it, whatever the filter hides.
  const open = () => {
    const anchor = location.hash.slice(1);
    if (!/^f-[0-9a-f-]+$/.test(anchor)) return;
    let target = $(anchor);
    if (!target) {
      const entry = rows.find(({ row }) => row[4] === anchor);
      if (!entry) return;
      $("extra").hidden = false;
      target = draw(entry);
      $("extra-list").prepend(target);
    }
    target.hidden = false;
    if (target.closest(".control")) target.closest(".control").hidden = false;
    target.querySelector("details").open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
  if (data.count) {
    unpack().then(() => { $("left").hidden = true; apply(); open(); }, () => {
      $("left").textContent = "This browser cannot unpack the other " + data.count.toLocaleString("en") + " findings; the JSON report holds them.";
    });
  }
})();
