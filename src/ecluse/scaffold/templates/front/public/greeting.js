/** What the page says. Kept apart from the page, so that it can be tested without a browser. */
export function sentence(greeting, service) {
  return `${greeting || "Hello"}, this is ${service}.`;
}
