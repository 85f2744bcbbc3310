<?php

declare(strict_types=1);

namespace Legacy;

use PHPUnit\Framework\TestCase;

final class CustomerTest extends TestCase
{
    public function testSpacesAroundTheFieldsAreDropped(): void
    {
        [$customer, $problems] = parse_customer(['name' => ' Comptoir des Thés ', 'email' => 'the@comptoir.example']);

        self::assertSame(['name' => 'Comptoir des Thés', 'email' => 'the@comptoir.example', 'city' => ''], $customer);
        self::assertSame([], $problems);
    }

    public function testEveryProblemIsToldAtOnce(): void
    {
        [, $problems] = parse_customer(['name' => ' ', 'email' => 'the']);

        self::assertCount(2, $problems);
    }
}
