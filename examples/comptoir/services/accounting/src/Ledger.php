<?php

declare(strict_types=1);

namespace Accounting;

use PDO;

final class Ledger
{
    public function __construct(private readonly PDO $db)
    {
    }

    /**
     * A caller that got no answer posts again: source and reference name an entry once.
     *
     * @return bool whether the entry is new
     */
    public function post(Entry $entry): bool
    {
        // Expand: the previous release reads `wording` only, so both columns are written.
        $insert = $this->db->prepare(
            'INSERT INTO entries (occurred_on, wording, label, debit, credit, amount_cents, source, reference)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON DUPLICATE KEY UPDATE id = id'
        );
        $insert->execute([
            $entry->date, $entry->label, $entry->label, $entry->debit, $entry->credit,
            $entry->amountCents, $entry->source, $entry->reference,
        ]);

        return $insert->rowCount() > 0;
    }

    /** @return list<array<string, int|string>> newest first */
    public function entries(int $limit = 200): array
    {
        // Expand: the previous release still writes rows that have a `wording` only.
        $select = $this->db->prepare(
            'SELECT id, occurred_on AS date, COALESCE(label, wording) AS label, debit, credit,
                    amount_cents, source, reference
             FROM entries ORDER BY id DESC LIMIT ?'
        );
        $select->bindValue(1, $limit, PDO::PARAM_INT);
        $select->execute();

        return $select->fetchAll(PDO::FETCH_ASSOC);
    }

    /** @return array<string, int> cents by account; debits are positive, the sum is always 0 */
    public function balance(): array
    {
        return $this->db->query(
            'SELECT account, CAST(SUM(cents) AS INTEGER) FROM (
                 SELECT debit AS account, amount_cents AS cents FROM entries
                 UNION ALL
                 SELECT credit, -amount_cents FROM entries
             ) AS movements GROUP BY account ORDER BY account'
        )->fetchAll(PDO::FETCH_KEY_PAIR);
    }
}
