<?php

declare(strict_types=1);

namespace Invoicing;

use PDO;

/** The invoices in the database. */
final class Invoices
{
    private const COLUMNS = 'id, issued_on, customer, email, net_cents, vat_cents, posted_at, mailed_at, paid_on';

    public function __construct(private readonly PDO $db)
    {
    }

    public function add(Invoice $draft): Invoice
    {
        $this->db->prepare(
            'INSERT INTO invoices (issued_on, customer, email, net_cents, vat_cents) VALUES (?, ?, ?, ?, ?)'
        )->execute([$draft->issuedOn, $draft->customer, $draft->email, $draft->netCents, $draft->vatCents]);

        return $this->find((int) $this->db->lastInsertId());
    }

    public function find(int $id): ?Invoice
    {
        return $this->select('WHERE id = ?', [$id])[0] ?? null;
    }

    /** @return list<Invoice> newest first */
    public function latest(): array
    {
        return $this->select('ORDER BY id DESC LIMIT 200');
    }

    /** @return list<Invoice> */
    public function unpaid(int $days): array
    {
        return $this->select(
            'WHERE paid_on IS NULL AND issued_on <= CURRENT_DATE - INTERVAL ? DAY ORDER BY id',
            [$days],
        );
    }

    /** @return list<Invoice> those that the worker has not dealt with */
    public function unfinished(): array
    {
        return $this->select('WHERE posted_at IS NULL OR mailed_at IS NULL ORDER BY id');
    }

    public function markPosted(Invoice $invoice): void
    {
        $this->mark('posted_at', $invoice);
    }

    /** @return bool false when another worker was faster */
    public function markMailed(Invoice $invoice): bool
    {
        return $this->mark('mailed_at', $invoice);
    }

    public function markPaid(Invoice $invoice): void
    {
        $this->mark('paid_on', $invoice);
    }

    private function mark(string $column, Invoice $invoice): bool
    {
        $update = $this->db->prepare("UPDATE invoices SET $column = NOW() WHERE id = ? AND $column IS NULL");
        $update->execute([$invoice->id]);

        return $update->rowCount() === 1;
    }

    /**
     * @param list<int> $values
     * @return list<Invoice>
     */
    private function select(string $clause, array $values = []): array
    {
        $select = $this->db->prepare('SELECT ' . self::COLUMNS . " FROM invoices $clause");
        $select->execute($values);

        return array_map(
            static fn (array $row): Invoice => new Invoice(...$row),
            $select->fetchAll(PDO::FETCH_NUM),
        );
    }
}
