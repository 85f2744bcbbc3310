<?php

declare(strict_types=1);

namespace Invoicing;

use PHPUnit\Framework\TestCase;

final class MoneyTest extends TestCase
{
    public function testAnAmountIsReadInBothNotations(): void
    {
        self::assertSame(125050, Money::cents('1250.50'));
        self::assertSame(125050, Money::cents('1 250,5'));
    }

    /**
     * @testWith [""]
     *           ["-1"]
     *           ["1.005"]
     *           ["1e3"]
     *           ["douze"]
     */
    public function testWhatIsNotAnAmountIsRefused(string $text): void
    {
        $this->expectException(Invalid::class);
        Money::cents($text);
    }

    /**
     * @testWith [10000, "20", 2000]
     *           [1001, "5.5", 55]
     *           [10, "5.5", 1]
     *           [9, "5.5", 0]
     *           [100, "0", 0]
     */
    public function testAShareIsRoundedHalfUp(int $cents, string $rate, int $share): void
    {
        self::assertSame($share, Money::share($cents, $rate));
    }

    public function testAnAmountIsWrittenTheFrenchWay(): void
    {
        self::assertSame('1 250,50 EUR', Money::format(125050, 'EUR'));
    }
}
