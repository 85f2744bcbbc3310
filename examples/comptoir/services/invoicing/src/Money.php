<?php

declare(strict_types=1);

namespace Invoicing;

/** Decimal arithmetic on amounts: a float would lose cents. */
final class Money
{
    /** @throws Invalid */
    public static function cents(string $amount): int
    {
        $decimal = str_replace([' ', ','], ['', '.'], $amount);
        if (!preg_match('/^\d{1,10}(\.\d{1,2})?$/', $decimal)) {
            throw new Invalid("net: '$amount' is not an amount such as 1250.00");
        }

        return (int) bcmul($decimal, '100', 0);
    }

    /** The share of `rate` per cent, rounded half up. */
    public static function share(int $cents, string $rate): int
    {
        return (int) bcadd(bcdiv(bcmul((string) $cents, $rate, 6), '100', 6), '0.5', 0);
    }

    public static function format(int $cents, string $currency): string
    {
        return number_format($cents / 100, 2, ',', ' ') . " $currency";
    }
}
