<?php

declare(strict_types=1);

namespace Invoicing;

final class Invoice
{
    public function __construct(
        public readonly int $id,
        public readonly string $issuedOn,
        public readonly string $customer,
        public readonly string $email,
        public readonly int $netCents,
        public readonly int $vatCents,
        public readonly ?string $postedAt = null,
        public readonly ?string $mailedAt = null,
        public readonly ?string $paidOn = null,
    ) {
    }

    /**
     * An invoice that has no number yet.
     *
     * @param array<string, mixed> $data customer, email, net
     * @throws Invalid
     */
    public static function draft(array $data, string $vatRate, string $today): self
    {
        $text = static fn (string $key): string => is_scalar($data[$key] ?? null) ? trim((string) $data[$key]) : '';
        if ($text('customer') === '') {
            throw new Invalid('customer: a name is needed');
        }
        if (!filter_var($text('email'), FILTER_VALIDATE_EMAIL)) {
            throw new Invalid('email: an address is needed');
        }
        $net = Money::cents($text('net'));
        if ($net === 0) {
            throw new Invalid('net: more than 0 is needed');
        }

        return new self(0, $today, $text('customer'), $text('email'), $net, Money::share($net, $vatRate));
    }

    public function number(): string
    {
        return sprintf('F-%06d', $this->id);
    }

    public function totalCents(): int
    {
        return $this->netCents + $this->vatCents;
    }

    /** @return list<array<string, int|string>> what accounting is told about the sale */
    public function saleEntries(): array
    {
        $entries = [
            $this->entry('net', $this->issuedOn, '411000', '706000', $this->netCents),
            $this->entry('vat', $this->issuedOn, '411000', '445710', $this->vatCents),
        ];

        return array_values(array_filter($entries, static fn (array $entry): bool => $entry['amount_cents'] > 0));
    }

    /** @return array<string, int|string> */
    public function paymentEntry(string $date): array
    {
        return $this->entry('payment', $date, '512000', '411000', $this->totalCents());
    }

    /** @return array<string, mixed> */
    public function toArray(): array
    {
        return [
            'number' => $this->number(),
            'date' => $this->issuedOn,
            'customer' => $this->customer,
            'net_cents' => $this->netCents,
            'vat_cents' => $this->vatCents,
            'total_cents' => $this->totalCents(),
            'posted' => $this->postedAt !== null,
            'mailed' => $this->mailedAt !== null,
            'paid_on' => $this->paidOn,
        ];
    }

    /** @return array<string, int|string> */
    private function entry(string $part, string $date, string $debit, string $credit, int $cents): array
    {
        return [
            'date' => $date,
            'label' => "{$this->number()} {$this->customer}",
            'debit' => $debit,
            'credit' => $credit,
            'amount_cents' => $cents,
            'source' => 'invoicing',
            'reference' => "{$this->number()}/$part",
        ];
    }
}
