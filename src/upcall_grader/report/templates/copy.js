"use strict";
// A button that copies each field's texts; without script they can still be selected by hand.
for (const field of document.querySelectorAll(".copyable")) {
  const texts = [...field.querySelectorAll(".to-copy")];
  const text = texts.map(element => element.textContent).join("\n");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = document.body.dataset.copy;
  button.setAttribute("aria-label", `${document.body.dataset.copy}: ${text}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = document.body.dataset.copied;
    } catch {
      getSelection().selectAllChildren(texts[0]);
    }
  });
  (field.querySelector("figcaption") ?? field).append(" ", button);
}
