<?php

declare(strict_types=1);

namespace Invoicing;

use PHPUnit\Framework\TestCase;

final class MigrationsTest extends TestCase
{
    public function testAFileIsSplitIntoStatementsWithoutItsComments(): void
    {
        self::assertSame(['SELECT 1', 'SELECT 2'], Migrations::statements("-- why\nSELECT 1;\nSELECT 2;\n"));
    }
}
