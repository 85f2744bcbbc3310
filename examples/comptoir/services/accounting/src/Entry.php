<?php

declare(strict_types=1);

namespace Accounting;

use DateTimeImmutable;

/** An amount that moves from one account to another. */
final class Entry
{
    private function __construct(
        public readonly string $date,
        public readonly string $label,
        public readonly string $debit,
        public readonly string $credit,
        public readonly int $amountCents,
        public readonly string $source,
        public readonly string $reference,
    ) {
    }

    /**
     * @param array<string, mixed> $data
     * @throws Invalid
     */
    public static function fromArray(array $data, string $closedUntil = ''): self
    {
        $text = static fn (string $key): string => is_string($data[$key] ?? null) && trim($data[$key]) !== ''
            ? trim($data[$key])
            : throw new Invalid("$key: a text is needed");
        $account = static fn (string $key): string => preg_match('/^\d{3,8}$/', $text($key))
            ? $text($key)
            : throw new Invalid("$key: an account number is needed");
        $date = $text('date');
        $amount = $data['amount_cents'] ?? null;

        return match (true) {
            !self::isDate($date) => throw new Invalid('date: YYYY-MM-DD is needed'),
            $date <= $closedUntil => throw new Invalid("date: the books are closed until $closedUntil"),
            !is_int($amount) || $amount <= 0 => throw new Invalid('amount_cents: a whole number above 0 is needed'),
            default => new self(
                $date,
                $text('label'),
                $account('debit'),
                $account('credit'),
                $amount,
                $text('source'),
                $text('reference'),
            ),
        };
    }

    private static function isDate(string $text): bool
    {
        $date = DateTimeImmutable::createFromFormat('!Y-m-d', $text);

        return $date && $date->format('Y-m-d') === $text;
    }
}
