// What the page shows, computed from what the services answered. No DOM here.

/** The row of one service; an answer is {status, body}, or null when there was none. */
export function serviceRow(name, answer) {
  const isUp = answer?.status === 200;
  return {
    name,
    version: answer?.body?.version ?? '–',
    state: isUp ? 'prêt' : answer?.status === 503 ? 'base de données absente' : 'ne répond pas',
    isUp,
  };
}

/** Rows of [account, amount] in the order of the accounts. */
export function balanceRows(balance) {
  return Object.entries(balance)
    .sort(([left], [right]) => left.localeCompare(right))
    .map(([account, cents]) => [account, amount(cents)]);
}

/** Cents the French way: 1 234,50 */
export function amount(cents) {
  const [units, rest] = (Math.abs(cents) / 100).toFixed(2).split('.');
  return `${cents < 0 ? '−' : ''}${units.replace(/\B(?=(\d{3})+$)/g, ' ')},${rest}`;
}
