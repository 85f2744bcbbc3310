import assert from "node:assert/strict";
import test from "node:test";

import { sentence } from "../public/greeting.js";

test("the page greets", () => {
  assert.equal(sentence("Bonjour", "{{service}}"), "Bonjour, this is {{service}}.");
});

test("without a greeting it says hello", () => {
  assert.equal(sentence("", "{{service}}"), "Hello, this is {{service}}.");
});
