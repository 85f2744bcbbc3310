import { balanceRows, serviceRow } from './state.js';

const SERVICES = ['accounting', 'invoicing', 'payroll'];
const REFRESH_MS = 5000;

async function ask(path) {
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(4000) });
    return { status: response.status, body: await response.json() };
  } catch {
    return null;
  }
}

function cell(text, className = '') {
  const td = document.createElement('td');
  td.textContent = text;
  td.className = className;
  return td;
}

function show(id, rows) {
  document.getElementById(id).replaceChildren(
    ...rows.map((cells) => {
      const tr = document.createElement('tr');
      tr.append(...cells);
      return tr;
    }),
  );
}

async function refresh() {
  const [balance, ...states] = await Promise.all([
    ask('/api/accounting/balance'),
    ...SERVICES.map((name) => ask(`/api/${name}/ready`)),
  ]);
  const services = states.map((answer, index) => serviceRow(SERVICES[index], answer));
  show('services', services.map(({ name, version, state, isUp }) => [
    cell(name), cell(version), cell(state, isUp ? 'up' : 'down'),
  ]));
  if (balance?.status === 200) {
    show('balance', balanceRows(balance.body.balance).map(([account, sum]) => [cell(account), cell(sum, 'number')]));
  }
  setTimeout(refresh, REFRESH_MS);
}

refresh();
