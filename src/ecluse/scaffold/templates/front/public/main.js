import { sentence } from "./greeting.js";

const greeting = document.querySelector("meta[name=greeting]").content;
document.getElementById("greeting").textContent = sentence(greeting, document.title);
