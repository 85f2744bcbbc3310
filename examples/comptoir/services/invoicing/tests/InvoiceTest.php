<?php

declare(strict_types=1);

namespace Invoicing;

use PHPUnit\Framework\TestCase;

final class InvoiceTest extends TestCase
{
    private const DATA = ['customer' => 'Maison Fictive', 'email' => 'compta@fictive.example', 'net' => '100,00'];

    public function testADraftAddsTheTax(): void
    {
        self::assertSame(12000, Invoice::draft(self::DATA, '20', '2026-01-31')->totalCents());
    }

    /**
     * @testWith ["customer", ""]
     *           ["email", "compta"]
     *           ["net", "0"]
     *           ["net", null]
     */
    public function testAMistakeNamesItsField(string $field, mixed $value): void
    {
        $this->expectException(Invalid::class);
        $this->expectExceptionMessage("$field:");
        Invoice::draft([$field => $value] + self::DATA, '20', '2026-01-31');
    }

    public function testASaleIsTwoEntriesThatAccountingRecognisesAgain(): void
    {
        $invoice = new Invoice(7, '2026-01-31', 'Maison Fictive', 'compta@fictive.example', 10000, 2000);

        self::assertSame(['F-000007/net', 'F-000007/vat'], array_column($invoice->saleEntries(), 'reference'));
        self::assertSame(12000, array_sum(array_column($invoice->saleEntries(), 'amount_cents')));
        self::assertSame(12000, $invoice->paymentEntry('2026-02-10')['amount_cents']);
    }

    public function testASaleWithoutTaxIsOneEntry(): void
    {
        $invoice = new Invoice(7, '2026-01-31', 'Maison Fictive', 'compta@fictive.example', 10000, 0);

        self::assertCount(1, $invoice->saleEntries());
    }
}
