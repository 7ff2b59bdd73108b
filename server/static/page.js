// Dropping a picture, and a word while it is sent. Without this file the form works all the same.
"use strict";

document.documentElement.classList.add("scripted");

const drop = document.getElementById("drop");
const file = document.getElementById("file");
const form = document.getElementById("upload");
const busy = document.getElementById("busy");

function over(event) {
  event.preventDefault();
  drop.classList.add("over");
}

function away() {
  drop.classList.remove("over");
}

if (drop && file && form) {
  drop.addEventListener("dragenter", over);
  drop.addEventListener("dragover", over);
  drop.addEventListener("dragleave", away);
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    away();
    if (event.dataTransfer.files.length === 1) {
      file.files = event.dataTransfer.files;
      form.requestSubmit();
    }
  });
  // A picture dropped beside the field must not replace the page.
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => event.preventDefault());
  }
  form.addEventListener("submit", () => {
    busy.hidden = false;
  });
}
