import assert from 'node:assert/strict';
import test from 'node:test';

import { amount, balanceRows, serviceRow } from '../public/state.js';

test('a service that answers is ready and shows its version', () => {
  const row = serviceRow('payroll', { status: 200, body: { version: '3.0.0' } });
  assert.deepEqual(row, { name: 'payroll', version: '3.0.0', state: 'prêt', isUp: true });
});

test('a service without its database says so', () => {
  const row = serviceRow('payroll', { status: 503, body: { error: 'the database does not answer' } });
  assert.equal(row.state, 'base de données absente');
  assert.equal(row.isUp, false);
});

test('a service that is away does not answer', () => {
  assert.deepEqual(serviceRow('payroll', null), {
    name: 'payroll', version: '–', state: 'ne répond pas', isUp: false,
  });
});

test('the balance comes in the order of its accounts', () => {
  assert.deepEqual(balanceRows({ 706000: -10000, 411000: 12000 }), [['411000', '120,00'], ['706000', '−100,00']]);
});

test('amounts are written the French way', () => {
  assert.equal(amount(0), '0,00');
  assert.equal(amount(123456789), '1 234 567,89');
  assert.equal(amount(-5), '−0,05');
});
