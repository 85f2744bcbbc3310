<?php

declare(strict_types=1);

namespace Accounting;

use PHPUnit\Framework\TestCase;

final class EntryTest extends TestCase
{
    private const DATA = [
        'date' => '2026-01-31', 'label' => 'Facture F-000001', 'debit' => '411000', 'credit' => '706000',
        'amount_cents' => 12000, 'source' => 'invoicing', 'reference' => 'F-000001/net',
    ];

    public function testACompleteEntryIsAccepted(): void
    {
        self::assertSame(12000, Entry::fromArray(self::DATA)->amountCents);
    }

    public function testAnEntryInClosedBooksIsRefused(): void
    {
        $this->expectExceptionMessage('the books are closed until 2026-01-31');
        Entry::fromArray(self::DATA, closedUntil: '2026-01-31');
    }

    /** @dataProvider mistakes */
    public function testAMistakeNamesItsField(string $field, mixed $value): void
    {
        $this->expectException(Invalid::class);
        $this->expectExceptionMessage("$field:");
        Entry::fromArray([$field => $value] + self::DATA);
    }

    /** @return list<array{string, mixed}> */
    public static function mistakes(): array
    {
        return [
            ['date', '2026-02-30'], ['date', 'hier'], ['label', ' '], ['debit', 'caisse'], ['credit', null],
            ['amount_cents', 0], ['amount_cents', '12.5'], ['reference', ''],
        ];
    }
}
