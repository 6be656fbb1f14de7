"use strict";
// The table and the figures can be read without this; with it they can be sorted, searched and asked.
{
  const table = document.querySelector(".results");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const form = document.querySelector(".controls");
  const shown = document.querySelector(".shown");
  const tip = document.querySelector(".tip");
  const runtimes = new Set(rows.map((row) => row.dataset.runtime));

  const runtimeOf = (mark) => mark.getAttribute("aria-label").split(", ", 1)[0];
  const charts = [...document.querySelectorAll(".chart")];
  const marksOf = new Map(
    charts.map((chart) => [
      chart,
      [...chart.querySelectorAll("[aria-label]")].filter((mark) => runtimes.has(runtimeOf(mark))),
    ]),
  );

  // Sorting

  let order = "";

  const keyOf = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return cell.classList.contains("number") ? undefined : cell.textContent.trim();
  };

  const compare = (one, other) =>
    typeof one === "number" ? one - other : one.localeCompare(other, "en", { numeric: true });

  const sort = (heading, column, name) => {
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const keyed = [...body.rows].map((row) => [keyOf(row, column), row]);
    // Where there is no figure, there is nothing to be first with.
    const there = keyed.filter(([key]) => key !== undefined);
    there.sort(([one], [other]) => (descending ? compare(other, one) : compare(one, other)));
    const missing = keyed.filter(([key]) => key === undefined);
    body.append(...[...there, ...missing].map(([, row]) => row));
    order = `, by ${name}, ${descending ? "largest" : "smallest"} first`;
    tell();
  };

  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const name = heading.textContent.trim().replace(/\s+/g, " ");
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(heading, column, name));
  });

  // Searching

  const chosen = (name) => {
    const boxes = [...form.querySelectorAll(`[name="${name}"]`)];
    return boxes.length ? new Set(boxes.filter((box) => box.checked).map((box) => box.value)) : null;
  };

  const search = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const agents = chosen("agents");
    const verifiers = chosen("verifier");
    for (const row of rows) {
      const text = row.dataset.text.toLowerCase();
      row.hidden = !(
        words.every((word) => text.includes(word)) &&
        (agents === null || agents.has(row.dataset.agents)) &&
        (verifiers === null || verifiers.has(row.dataset.verifier))
      );
    }
    const left = new Set(rows.filter((row) => !row.hidden).map((row) => row.dataset.runtime));
    for (const marks of marksOf.values()) {
      for (const mark of marks) mark.classList.toggle("dimmed", !left.has(runtimeOf(mark)));
    }
    tell();
  };

  const tell = () => {
    const count = rows.filter((row) => !row.hidden).length;
    shown.textContent = `${count} of ${rows.length} rows${order}.`;
  };

  form.hidden = false;
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());

  // What a mark stands for

  const point = (chart, mark, x, y) => {
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - width - 4))}px`;
    tip.style.top = `${y + height + 20 > innerHeight ? y - height - 12 : y + 16}px`;
  };

  for (const chart of charts) {
    const marks = marksOf.get(chart);
    let at = -1;

    const leave = () => {
      tip.hidden = true;
      if (at >= 0) marks[at].classList.remove("marked");
    };

    chart.addEventListener("pointermove", (event) => {
      const mark = event.target.closest("[aria-label]");
      if (marks.includes(mark)) point(chart, mark, event.clientX, event.clientY);
      else tip.hidden = true;
    });
    chart.addEventListener("pointerleave", leave);
    chart.addEventListener("blur", leave);
    chart.addEventListener("keydown", (event) => {
      if (event.key === "Escape") leave();
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step === undefined || marks.length === 0) return;
      event.preventDefault();
      leave();
      at = (Math.max(at, step < 0 ? 0 : -1) + step + marks.length) % marks.length;
      const mark = marks[at];
      mark.classList.add("marked");
      mark.scrollIntoView({ block: "nearest", inline: "nearest" });
      const box = mark.getBoundingClientRect();
      point(chart, mark, box.left + box.width / 2, box.top + box.height / 2);
    });
  }
  for (const hint of document.querySelectorAll(".hint")) hint.hidden = false;

  // On paper nothing can be opened.

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
}
